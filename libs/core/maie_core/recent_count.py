"""How often something happened within the last minutes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

WINDOW_SECONDS = 300.0
# More are counted as so many: who reads it needs no larger number.
MOST = 10_000


class RecentCount:
    """Counts over the last `WINDOW_SECONDS`, up to `MOST`. Any thread may note and ask.

    Args:
        clock: Gives the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: deque[float] = deque(maxlen=MOST)

    def note(self) -> None:
        """Counts one that happens now."""
        self._times.append(self._clock())

    @property
    def number(self) -> int:
        """How many happened within the window."""
        oldest = self._clock() - WINDOW_SECONDS
        # A copy, since another thread may note one meanwhile.
        return sum(each > oldest for each in tuple(self._times))
