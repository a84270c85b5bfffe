"""Timeouts, retries, concurrency limit and circuit breaker for the calls of one server.

A slow server is not a dead one. If the server has a limited number of slots, calls
wait for one, and the wait does not count against a timeout. A call in progress
times out after too long without any heartbeat of the server: a token of its
answer, a token of another answer before its own begins, or a change in the
server's report of its slots.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from datetime import timedelta

import structlog

from maie_core.errors import StageError
from maie_llm.openai.chunks import Chunk
from maie_llm.openai.errors import Unavailable
from maie_llm.openai.settings import OpenAISettings
from maie_runtime.background import background_tasks
from maie_runtime.server_calls import ServerCalls

log = structlog.get_logger()

# How often the server's slots are polled before an idle call times out.
POLLS_PER_TIMEOUT = 3

Heartbeat = Callable[[], None]
Slots = Callable[[], Awaitable[str]]
"""Gets the server's report of its busy slots; empty if none is busy or reported."""


class CallPolicy:
    """The state that all calls of one server share.

    Args:
        settings: The timeouts.
        concurrency: The most concurrent calls; None for no limit.
        slots: Gets the server's report of its slots; None if it has none.

    Attributes:
        calls: Retries and the circuit breaker.
    """

    def __init__(
        self, settings: OpenAISettings, concurrency: int | None = None, slots: Slots | None = None
    ) -> None:
        self._settings = settings
        self._limit = asyncio.Semaphore(concurrency) if concurrency else None
        self._slots = slots
        self._waiting: dict[object, Heartbeat] = {}
        self.calls = ServerCalls(settings.base_url, settings, _paused, kind="llm")

    @asynccontextmanager
    async def slot(self, heartbeat: Heartbeat) -> AsyncIterator[None]:
        """Waits for a free slot and holds it.

        Args:
            heartbeat: Called at each heartbeat of the server while waiting.
        """
        if self._limit is None:
            yield
            return
        with self._subscribed(heartbeat):
            await self._limit.acquire()
        try:
            yield
        finally:
            self._limit.release()

    async def with_timeouts(
        self, chunks: AsyncGenerator[Chunk, None], heartbeat: Heartbeat
    ) -> AsyncGenerator[Chunk, None]:
        """Yields the pieces of an answer, with timeouts.

        Args:
            chunks: The server's pieces.
            heartbeat: Called at each heartbeat of the server.

        Raises:
            Unavailable: There was no heartbeat for too long.
        """
        idle = _IdleTimeout(self._settings.first_token_seconds, heartbeat)
        async with self._polling_slots(idle):
            with self._subscribed(idle.heartbeat):
                chunk = await self._next(chunks, idle)
                while chunk is not None and not _has_output(chunk):
                    yield chunk
                    chunk = await self._next(chunks, idle)
            while chunk is not None:
                if _has_output(chunk):
                    idle.seconds = self._settings.next_token_seconds
                    heartbeat()
                    self._notify_waiting()
                yield chunk
                # The caller's own time does not count.
                idle.restart()
                chunk = await self._next(chunks, idle)

    async def _next(self, chunks: AsyncGenerator[Chunk, None], idle: _IdleTimeout) -> Chunk | None:
        try:
            async with idle.limit():
                return await anext(chunks)
        except StopAsyncIteration:
            return None
        except TimeoutError:
            raise Unavailable(f"was silent for {idle.seconds:g} s") from None

    def _polling_slots(self, idle: _IdleTimeout) -> AbstractAsyncContextManager[None]:
        return (
            nullcontext()
            if self._slots is None
            else background_tasks(self._poll_slots(idle, self._slots))
        )

    async def _poll_slots(self, idle: _IdleTimeout, slots: Slots) -> None:
        """Polls the server's slots during an idle call: a change is a heartbeat."""
        seen = ""
        while True:
            await asyncio.sleep(idle.seconds / POLLS_PER_TIMEOUT)
            try:
                shown = await slots()
            except StageError as error:
                log.debug("llm.slots_unavailable", error=error.message)
                continue
            if shown and shown != seen:
                idle.heartbeat()
                self._notify_waiting()
            seen = shown

    @contextmanager
    def _subscribed(self, heartbeat: Heartbeat) -> Iterator[None]:
        """Forwards the heartbeats of other calls to `heartbeat`."""
        key = object()
        self._waiting[key] = heartbeat
        try:
            yield
        finally:
            del self._waiting[key]

    def _notify_waiting(self) -> None:
        for heartbeat in list(self._waiting.values()):
            heartbeat()


class _IdleTimeout:
    """A timeout that restarts at each heartbeat.

    Args:
        seconds: The longest time without a heartbeat.
        heartbeat: Called at each heartbeat.
    """

    def __init__(self, seconds: float, heartbeat: Heartbeat) -> None:
        self.seconds = seconds
        self._heartbeat = heartbeat
        self._limit: asyncio.Timeout | None = None
        self.restart()

    def restart(self) -> None:
        """Restarts the timeout."""
        self._since = asyncio.get_running_loop().time()

    def heartbeat(self) -> None:
        """Reports a heartbeat and restarts the timeout."""
        self.restart()
        self._heartbeat()
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(self._since + self.seconds)

    @asynccontextmanager
    async def limit(self) -> AsyncIterator[None]:
        """Raises TimeoutError in its block after too long without a heartbeat."""
        try:
            async with asyncio.timeout_at(self._since + self.seconds) as self._limit:
                yield
        finally:
            self._limit = None


def _has_output(chunk: Chunk) -> bool:
    return any(choice.delta.has_output for choice in chunk.choices)


def _paused(left: timedelta) -> Unavailable:
    return Unavailable("failed again and again", left)
