"""Alignment engines; each is the only one that imports its library."""
