"""The stream of events for people's browsers: raw ASGI, as Django would give a thread to each."""
