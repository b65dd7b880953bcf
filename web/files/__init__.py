"""Files on pages: what is inside of them, how they are served, sent and drawn on."""
