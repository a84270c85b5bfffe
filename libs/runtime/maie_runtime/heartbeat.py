"""Looks after a unit while a stage works on it.

The unit stays with its worker as long as the stage shows life. It is stopped
when it stalls, when its deadline is over and when its result is not wanted any
more; an engine that does not stop is told apart, since it holds its slot.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from nats.aio.msg import Msg

from maie_runtime.broker import BROKER_ERRORS
from maie_runtime.errors import Code, StageError
from maie_runtime.failures import over_deadline, stalled
from maie_runtime.reasons import Reason
from maie_runtime.settings import ServiceSettings

# Three signs of life fit into the time after which a unit is handed on.
HEARTBEATS_PER_ACK_WAIT = 3


class UnwantedError(Exception):
    """The unit's result would not count any more."""


class EngineHungError(Exception):
    """The engine goes on although it was stopped.

    Attributes:
        cause: What it was stopped for; None where the worker drains.
    """

    def __init__(self, cause: Exception | None) -> None:
        super().__init__("The engine does not stop.")
        self.cause = cause


class UnitWatch:
    """Watches one unit from its first response to its last.

    Args:
        message: The task's message, which heartbeats keep with this worker.
        settings: How long the unit may take, be silent and go on when stopped.
        wanted: Whether the unit's result would still count.
    """

    def __init__(
        self, message: Msg, settings: ServiceSettings, wanted: Callable[[], Awaitable[bool]]
    ) -> None:
        self.message = message
        self._settings = settings
        self._wanted = wanted
        self._alive = 0.0
        self._cause: Exception | None = None
        self._begun = asyncio.Event()
        self._stopped = asyncio.Event()

    @property
    def place(self) -> int:
        """The task's place in its stream."""
        return self.message.metadata.sequence.stream

    def begin(self) -> None:
        """Notes that the work itself begins: from now on it has limits."""
        self.alive()
        self._begun.set()

    def alive(self) -> None:
        """Notes a sign of life of the stage."""
        self._alive = time.monotonic()

    def stop(self, cause: Exception) -> None:
        """Stops the unit; the first cause counts."""
        if not self._stopped.is_set():
            self._cause = cause
            self._stopped.set()

    async def see_through(self, work: Coroutine[Any, Any, None]) -> None:
        """Waits for the work's end, whichever way.

        Heartbeats are not sent by this, since what became of the work has to be told after it.

        Args:
            work: Calls `begin` once it waits for nothing of ours any more.

        Raises:
            StageError: It failed, stalled or took too long.
            UnwantedError: It was stopped because its result is not wanted.
            EngineHungError: It does not stop. It still runs.
            asyncio.CancelledError: The caller was cancelled, and the work with it.
        """
        working = asyncio.create_task(work)
        stopped = asyncio.create_task(self._stopped.wait())
        keepers = [stopped, asyncio.create_task(self._keep_limits())]
        try:
            await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
            await self._end(working)
        except asyncio.CancelledError:
            await self._end(working)
            raise
        finally:
            for keeper in keepers:
                keeper.cancel()
        self._conclude(working)

    async def _end(self, working: asyncio.Task[None]) -> None:
        """Makes sure that the work is over."""
        if not working.done():
            working.cancel()
            await asyncio.wait({working}, timeout=self._settings.cancel_grace_seconds)
            if not working.done():
                raise EngineHungError(self._cause)

    def _conclude(self, working: asyncio.Task[None]) -> None:
        if not working.cancelled() and working.exception() is None:
            # Done in the very moment that it was stopped: its event is published.
            return
        if self._cause is not None:
            raise self._cause
        if working.cancelled():
            raise StageError(Code.INTERNAL, Reason.ENGINE_FAILED, "The engine cancelled itself.")
        working.result()

    async def send_heartbeats(self) -> None:
        """Keeps the unit with this worker, until it is cancelled."""
        while True:
            await asyncio.sleep(self._settings.ack_wait_seconds / HEARTBEATS_PER_ACK_WAIT)
            with suppress(*BROKER_ERRORS):
                await self.message.in_progress()
                # Word of a cancellation may be lost, so the queue is asked as well.
                if not await self._wanted():
                    self.stop(UnwantedError())

    async def _keep_limits(self) -> None:
        limit, silence = self._settings.unit_deadline_seconds, self._settings.stall_seconds
        await self._begun.wait()
        began = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= began + limit:
                return self.stop(over_deadline(limit))
            if now >= self._alive + silence:
                return self.stop(stalled(silence))
            await asyncio.sleep(min(began + limit, self._alive + silence) - now)
