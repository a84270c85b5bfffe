"""A reading compared with its text."""
