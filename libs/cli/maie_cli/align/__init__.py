"""Readings compared with their texts: one at a time, or many from a folder or a bucket."""
