"""The ids of jobs and uploads."""

from __future__ import annotations


def made_at(uuid7: str) -> float:
    """When an id was made, in seconds of Unix time: the first 48 bits of a UUID of version 7."""
    return int(uuid7.replace("-", "")[:12], 16) / 1000
