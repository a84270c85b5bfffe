"""The commands of `maie`."""
