"""The requests of a streaming call, for a handler that reads them while it answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

# Requests that are read ahead; the rest waits at the caller, by HTTP/2's flow control.
READ_AHEAD = 4
# Tasks that still read: the event loop itself keeps no task alive.
_readers: set[asyncio.Task[None]] = set()


class _Incoming:
    """Requests that were read, and the end of them."""

    def __init__(self) -> None:
        self._requests: asyncio.Queue[Any] = asyncio.Queue(READ_AHEAD)
        self._error: Exception | None = None
        self._over = False
        self._left = False

    async def read(self, requests: AsyncIterator[Any]) -> None:
        """Reads to the end, which comes soon after the call's."""
        try:
            async for request in requests:
                if self._left:
                    continue
                await self._requests.put(request)
        except Exception as error:  # noqa: BLE001 - the handler raises it
            self._error = error
        self._over = True
        if self._requests.empty():
            # Wakes a handler that waits.
            self._requests.put_nowait(None)

    async def requests(self) -> AsyncIterator[Any]:
        """Yields the requests as they come."""
        while not (self._over and self._requests.empty()):
            request = await self._requests.get()
            if request is not None:
                yield request
        if self._error is not None:
            raise self._error

    def leave(self) -> None:
        """Drops all requests from now on."""
        self._left = True
        while not self._requests.empty():
            self._requests.get_nowait()


@asynccontextmanager
async def incoming(requests: AsyncIterator[Any]) -> AsyncIterator[AsyncIterator[Any]]:
    """Reads a call's requests in a task of its own, which nothing cancels.

    Cancelling a read of grpcio 1.85 can crash the process when the call ends at that moment. A
    reader that is not wanted any more ends with its call.

    Args:
        requests: The call's requests.

    Yields:
        The same, for one that may stop waiting for them.
    """
    found = _Incoming()
    reader = asyncio.create_task(found.read(requests))
    _readers.add(reader)
    reader.add_done_callback(_readers.discard)
    try:
        yield found.requests()
    finally:
        found.leave()
