"""The Python client of the maie gateway."""
