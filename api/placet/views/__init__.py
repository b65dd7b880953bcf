"""One class for each operation; about ten lines each."""
