"""Limits the slots for long recordings, so that short ones always find one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from maie_core.errors import BusyError

# A long recording above the limit is retried after this. Each attempt downloads it again.
RETRY_AFTER = timedelta(seconds=10)


class LongRecordings:
    """Limits the long recordings in progress; further ones are retried later.

    Args:
        count: The most long recordings in progress.
        long_seconds: A longer recording is a long one.
    """

    def __init__(self, count: int, long_seconds: float) -> None:
        self._free = count
        self._long_seconds = long_seconds

    @asynccontextmanager
    async def track(self) -> AsyncIterator[Callable[[float], None]]:
        """Yields a function that reports the length of one recording as it becomes known.

        Call it with the length so far, in seconds. The recording counts as long from the first
        call above the limit until the context ends. The call raises BusyError if there are too
        many long recordings.
        """
        counted = False

        def report(seconds: float) -> None:
            nonlocal counted
            if counted or seconds <= self._long_seconds:
                return
            if not self._free:
                raise BusyError(
                    "The service processes as many long recordings as it may; try again later.",
                    RETRY_AFTER,
                )
            self._free -= 1
            counted = True

        try:
            yield report
        finally:
            self._free += counted
