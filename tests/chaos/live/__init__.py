"""Breaks live sessions on purpose, and counts what came of every final."""
