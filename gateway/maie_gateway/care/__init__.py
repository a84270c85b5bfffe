"""Removal, retention, dead letters, and recovery of streams."""
