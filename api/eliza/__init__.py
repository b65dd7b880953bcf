"""ElizaOS's messaging endpoints over the same inbox."""
