"""The WebSockets that are open, which end before the web part does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# Longer, a page is not there any more.
LEAVE_SECONDS = 3.0


class OpenSockets:
    """Counts WebSockets, and has them end.

    Attributes:
        closing: Is set once they are to end.
    """

    def __init__(self) -> None:
        self.closing = asyncio.Event()
        self._open = 0
        self._none = asyncio.Event()
        self._none.set()

    @contextmanager
    def one(self) -> Iterator[None]:
        """The time of one."""
        self._open += 1
        self._none.clear()
        try:
            yield
        finally:
            self._open -= 1
            if not self._open:
                self._none.set()

    async def close(self) -> None:
        """Has all end, and waits for them a little."""
        self.closing.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                await self._none.wait()
