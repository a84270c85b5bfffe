"""Tells speakers apart while they speak."""
