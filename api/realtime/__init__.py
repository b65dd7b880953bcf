"""Raw ASGI routes for what waits. They bypass Django's handler, which gives a thread to each."""
