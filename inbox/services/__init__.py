"""Writes: each holds a rule, is one transaction, and announces what it did."""
