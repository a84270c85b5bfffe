"""Limits of callers: how often they may call, and how many streams they may have."""
