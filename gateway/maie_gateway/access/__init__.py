"""Credentials of the gateway's callers: API keys and tokens."""
