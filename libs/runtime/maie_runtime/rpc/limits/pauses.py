"""Delays refusals, so that who tries again at once does not keep a gateway busy."""

from __future__ import annotations

import asyncio

MAX_SECONDS = 1.0
# Some ten kilobytes each.
MAX_WAITING = 2000


class Pauses:
    """Waits before refusals, as long as not too many wait.

    Args:
        most_seconds: The longest pause.
        most_waiting: How many refusals wait at most; others are sent at once.
    """

    def __init__(self, most_seconds: float = MAX_SECONDS, most_waiting: int = MAX_WAITING) -> None:
        self._most_seconds = most_seconds
        self._most_waiting = most_waiting
        self._waiting = 0

    async def pause(self, seconds: float) -> None:
        """Waits, at most for so long."""
        if self._waiting >= self._most_waiting:
            return
        self._waiting += 1
        try:
            await asyncio.sleep(min(seconds, self._most_seconds))
        finally:
            self._waiting -= 1
