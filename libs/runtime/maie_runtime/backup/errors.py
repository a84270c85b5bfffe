"""The error of a backup or a restore."""

from __future__ import annotations


class BackupError(Exception):
    """One sentence: what is wrong, and the next step."""
