"""How statements behave when tables are large; only on PostgreSQL, see `make test-growth`."""
