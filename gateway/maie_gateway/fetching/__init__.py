"""Recordings that the gateway fetches from URLs."""
