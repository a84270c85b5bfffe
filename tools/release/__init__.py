"""Checks that what is here can be released."""
