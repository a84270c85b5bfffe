"""Calls with audio that comes while somebody speaks: its messages, what is kept, the answers."""
