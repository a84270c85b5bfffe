"""Speaks for callers, by the synthesis services."""
