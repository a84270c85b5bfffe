"""Room for long recordings, so that short ones always find a slot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from maie_runtime.errors import BusyError

# A long recording that finds no place is offered again after this. It is read from the store
# anew each time.
RETRY_AFTER = timedelta(seconds=10)


class LongPlaces:
    """Lets so many long recordings be worked on at once; all others come again later.

    Args:
        count: How many at once.
        long_seconds: A longer recording needs a place.
    """

    def __init__(self, count: int, long_seconds: float) -> None:
        self._free = count
        self._long_seconds = long_seconds

    @asynccontextmanager
    async def visit(self) -> AsyncIterator[Callable[[float], None]]:
        """Gives what takes a place once a recording turns out to be long, until the end.

        It is called with the recording's length in seconds, as far as that is known, as often
        as more of it is. It raises BusyError where no place is free.
        """
        has_place = False

        def see(seconds: float) -> None:
            nonlocal has_place
            if has_place or seconds <= self._long_seconds:
                return
            if not self._free:
                raise BusyError(
                    "The service works on as many long recordings as it may; try again later.",
                    RETRY_AFTER,
                )
            self._free -= 1
            has_place = True

        try:
            yield see
        finally:
            self._free += has_place
