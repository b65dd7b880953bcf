"""One class for each route; about ten lines each."""
