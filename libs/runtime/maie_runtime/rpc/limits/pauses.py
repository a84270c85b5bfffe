"""Spreads refusals over time, so that who tries again at once does not keep a server busy."""

from __future__ import annotations

import asyncio
import random

from maie_runtime.rpc.limits.rates import Rate, RateTable

# A refused call costs about as much as a served one.
REFUSALS = Rate(per_second=20.0, burst=5.0)
MAX_SECONDS = 10.0
# Some ten kilobytes each.
MAX_WAITING = 2000


class Pauses:
    """Answers so many refusals of one caller a second, one after the other.

    The first are answered at once. Those of a caller that makes hundreds of calls at a time wait in
    line, so that they do not all come back at the same moment.

    Args:
        rate: How often one caller is refused.
        most_seconds: The longest pause.
        most_waiting: How many refusals of all callers wait at most; others are sent at once.
    """

    def __init__(
        self,
        rate: Rate = REFUSALS,
        most_seconds: float = MAX_SECONDS,
        most_waiting: int = MAX_WAITING,
    ) -> None:
        self._rate = rate
        self._most_seconds = most_seconds
        self._most_waiting = most_waiting
        self._refused = RateTable()
        self._waiting = 0

    async def pause(self, name: str) -> None:
        """Waits until a caller may be refused again."""
        if self._waiting >= self._most_waiting:
            return
        wait = self._refused.wait(name, self._rate)
        if wait < self._most_seconds:
            self._refused.take(name, self._rate)
        else:
            # Jitter, so that those who find no place in the line do not come back together.
            wait = self._most_seconds * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
        if not wait:
            return
        self._waiting += 1
        try:
            await asyncio.sleep(wait)
        finally:
            self._waiting -= 1
