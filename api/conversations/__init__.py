"""A plain conversation API over the same inbox: conversations, messages and events."""
