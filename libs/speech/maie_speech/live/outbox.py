"""The events of a track on their way to its caller."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import Generic, TypeVar

from maie_core.errors import StageError

EventT = TypeVar("EventT")

# A caller that is so many events behind gets no more partials, and is not listened to meanwhile.
MAX_EVENTS = 64


class Outbox(Generic[EventT]):
    """Events in order. What must not be lost is bounded by what the track takes in meanwhile."""

    def __init__(self) -> None:
        self._events: deque[EventT] = deque()
        self._finished = False
        self._error: StageError | None = None
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def put(self, event: EventT) -> None:
        """Adds an event that must not be lost."""
        self._events.append(event)
        if len(self._events) >= MAX_EVENTS:
            self._room.clear()
        self._changed.set()

    def offer(self, event: EventT) -> None:
        """Adds an event that a later one replaces, unless the caller is far behind."""
        if self._room.is_set():
            self.put(event)

    async def room(self) -> None:
        """Waits until the caller is not far behind."""
        await self._room.wait()

    def finish(self, error: StageError | None = None) -> None:
        """Ends the events, with an error or without; the first end counts."""
        if not self._finished:
            self._finished, self._error = True, error
            self._changed.set()

    async def events(self) -> AsyncGenerator[EventT, None]:
        """Yields the events until the end.

        Raises:
            StageError: That of `finish`, after the events before it.
        """
        while True:
            while self._events:
                event = self._events.popleft()
                if len(self._events) < MAX_EVENTS:
                    self._room.set()
                yield event
            if self._finished:
                break
            self._changed.clear()
            await self._changed.wait()
        if self._error is not None:
            raise self._error
