"""The people's JSON API, in Placet's words: what its web app and scripts call below `/api/`."""
