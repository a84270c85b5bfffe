"""Rates: how often something may happen, each name by itself, in bounded memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MAX_NAMES = 10_000


@dataclass(kw_only=True, frozen=True, slots=True)
class Rate:
    """A token bucket's size and rate.

    Attributes:
        per_second: How often something may happen, as a mean.
        burst: How often at once, after a rest; at least 1.
    """

    per_second: float
    burst: float


class RateTable:
    """A token bucket for each name, stored as the time at which it will be full again.

    So a bucket that is full is as good as one that was never used, and needs no memory. Where
    there are too many names, the one that was not used for the longest time is forgotten.

    Args:
        most: How many names are known at most.
        clock: Gives the time in seconds.

    https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
    """

    def __init__(self, most: int = MAX_NAMES, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def wait(self, name: str, rate: Rate) -> float:
        """How long until there is a token, in seconds; 0 where there is one."""
        left = self._full_at.get(name, 0.0) - self._clock()
        return max(0.0, left - (rate.burst - 1) / rate.per_second)

    def take(self, name: str, rate: Rate) -> None:
        """Takes a token; ask `wait` before."""
        now = self._clock()
        self._full_at[name] = max(self._full_at.get(name, now), now) + 1 / rate.per_second
        self._full_at.move_to_end(name)
        self._forget(now)

    def _forget(self, now: float) -> None:
        """Forgets the name used longest ago where its bucket is full, or where there is no room."""
        for _ in range(2):  # more than are added, so that all full ones go
            oldest = next(iter(self._full_at))
            if self._full_at[oldest] > now and len(self._full_at) <= self._most:
                return
            del self._full_at[oldest]
