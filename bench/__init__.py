"""Programs that measure and print. Nothing here is a timed assertion."""
