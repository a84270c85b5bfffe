"""The events that wait to be sent to a client."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator

from maie.live.v1 import live_pb2 as live
from maie_core.errors import StageError

# More events than these wait only where the client does not read; then no partials are added.
CROWDED = 64
# A client that does not read is not read from, either.
FULL = 512


class Outbox:
    """Events in their order. Where the client reads slowly, partial results are left out.

    Attributes:
        last_put: When an event was added last, by the monotonic clock.
        has_room: Set while so few events wait that more messages may be read from the client.
    """

    def __init__(self) -> None:
        self._events: deque[live.TranscribeResponse] = deque()
        self._news = asyncio.Event()
        self._closed = False
        self._error: StageError | None = None
        self.last_put = time.monotonic()
        self.has_room = asyncio.Event()
        self.has_room.set()

    def put(self, event: live.TranscribeResponse) -> None:
        """Adds an event that must arrive."""
        if self._closed:
            return
        self._events.append(event)
        self.last_put = time.monotonic()
        self._news.set()
        if len(self._events) >= FULL:
            self.has_room.clear()

    def offer(self, event: live.TranscribeResponse) -> None:
        """Adds an event that a later one makes up for; left out where many wait."""
        if len(self._events) < CROWDED:
            event.event_time.GetCurrentTime()
            self.put(event)

    def close(self, error: StageError | None = None) -> None:
        """Lets the client read what waits, and ends its call; the first error counts."""
        if not self._closed:
            self._closed, self._error = True, error
            self._news.set()
            self.has_room.set()

    async def events(self) -> AsyncIterator[live.TranscribeResponse]:
        """The events until the outbox is closed.

        Raises:
            StageError: What it was closed with.
        """
        while self._events or not self._closed:
            if not self._events:
                self._news.clear()
                await self._news.wait()
                continue
            event = self._events.popleft()
            if len(self._events) < CROWDED and not self._closed:
                self.has_room.set()
            yield event
        if self._error is not None:
            raise self._error
