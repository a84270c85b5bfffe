"""A cap on the bytes of recordings that are on their way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class ByteBudget:
    """Lends bytes; who asks waits until there are enough.

    Args:
        most: The most bytes that are lent. A larger recording is alone on its way.

    Attributes:
        lent: The bytes that are lent now.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._returned = asyncio.Condition()
        self.lent = 0

    @asynccontextmanager
    async def lend(self, size: int) -> AsyncIterator[None]:
        """Lends so many bytes for the block."""
        async with self._returned:
            await self._returned.wait_for(lambda: not self.lent or self.lent + size <= self._most)
            self.lent += size
        try:
            yield
        finally:
            # Without waiting, so that it happens in a task that is cancelled, too.
            self.lent -= size
            asyncio.ensure_future(self._wake())  # noqa: RUF006 # ends at once

    async def _wake(self) -> None:
        async with self._returned:
            self._returned.notify_all()
