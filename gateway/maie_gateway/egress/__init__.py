"""Connections to servers that clients name, which are not trusted."""
