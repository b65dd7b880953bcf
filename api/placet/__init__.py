"""Placet's wire, so that its clients work unmodified."""
