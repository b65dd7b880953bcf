"""The people's routes, by subject."""
