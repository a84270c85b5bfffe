"""One unit or call: its heartbeats, its limits, and how it is stopped.

Work is stopped when it stalls, when its deadline is exceeded and when its result is
no longer wanted. An engine that does not stop then is a separate error, since it
keeps its slot.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from maie.common.v1 import types_pb2 as common
from maie_core.errors import Code, StageError
from maie_core.failures import over_deadline, stalled
from maie_core.reasons import Reason
from maie_core.settings import ServiceSettings
from maie_runtime.worker.engine_calls import EngineCalls

DIRECT = "direct"
"""The unit of a direct call."""

Leave = Callable[[Exception | None], Awaitable[None]]


async def leave_nothing(_: Exception | None) -> None:
    """Does nothing when the process must end."""


class UnwantedError(Exception):
    """The work's result is no longer wanted."""


class TaskAbsentError(UnwantedError):
    """The server that was asked lacks the task: it was removed, or that server is behind."""


class EngineHungError(Exception):
    """The engine does not stop.

    Attributes:
        cause: Why it was stopped; None if the worker drains or a caller has left.
    """

    def __init__(self, cause: Exception | None) -> None:
        super().__init__("The engine does not stop.")
        self.cause = cause


@dataclass(kw_only=True, frozen=True, slots=True)
class Limits:
    """The limits on work, in seconds.

    Attributes:
        deadline: The longest run.
        silence: The longest time between two heartbeats.
        stopping: The longest time from the stop to the end.
    """

    deadline: float
    silence: float
    stopping: float

    @classmethod
    def of(cls, settings: ServiceSettings) -> Limits:
        """The limits of a service's settings."""
        return cls(
            deadline=settings.unit_deadline_seconds,
            silence=settings.stall_seconds,
            stopping=settings.cancel_grace_seconds,
        )


class Work:
    """One unit or one call, from its admission to its end.

    Attributes:
        span_id: The span of a unit's attempt, of 8 bytes; empty where none is recorded.

    Args:
        job_id: The job; a fresh name for a direct call.
        unit: The unit within the job; "direct" for a direct call.
        attempt: The attempt, from 1.
        tenant: Whose job it is; empty for a direct call.
        suspect: Whether an earlier worker was lost while running it.
        deliveries: How often its task was delivered; 0 for a direct call.
        engine_calls: Counts its engine calls.
        leave: Called when the process must end before the work: with the cause of the stop if the
            work's own engine hangs, else with None. Returns the work to the queue.
    """

    def __init__(
        self,
        *,
        job_id: str,
        unit: str,
        attempt: int = 1,
        tenant: str = "",
        suspect: bool = False,
        deliveries: int = 0,
        engine_calls: EngineCalls | None = None,
        leave: Leave = leave_nothing,
    ) -> None:
        self.job_id = job_id
        self.unit = unit
        self.attempt = attempt
        self.tenant = tenant
        self.suspect = suspect
        self.deliveries = deliveries
        self.engine_calls = engine_calls or EngineCalls()
        self.leave = leave
        self.span_id = b""
        self._last_heartbeat = 0.0
        self._began: float | None = None
        self._cause: Exception | None = None
        self._begun = asyncio.Event()
        self._stopped = asyncio.Event()

    def begin(self) -> None:
        """Starts the limits, when the work itself begins."""
        self.heartbeat()
        self._began = time.monotonic()
        self._begun.set()

    def metrics(self) -> common.UnitMetrics:
        """What it cost so far."""
        found = common.UnitMetrics(deliveries=self.deliveries)
        if self._began is not None:
            ran, worked = time.monotonic() - self._began, self.engine_calls.seconds
            found.processing_duration.FromNanoseconds(round(ran * 1e9))
            found.engine_duration.FromNanoseconds(round(worked * 1e9))
        return found

    def heartbeat(self) -> None:
        """Records a heartbeat of the stage."""
        self._last_heartbeat = time.monotonic()

    def stop(self, cause: Exception) -> None:
        """Stops the work; the first cause counts."""
        if not self._stopped.is_set():
            self._cause = cause
            self._stopped.set()

    async def see_through(self, doing: Coroutine[Any, Any, None], limits: Limits) -> None:
        """Waits for the work's end.

        Args:
            doing: Does the work; calls `begin` after it has its slot and its model.
            limits: Its limits.

        Raises:
            StageError: It failed, stalled or took too long.
            UnwantedError: It was stopped because its result is no longer wanted.
            EngineHungError: It does not stop and still runs.
            asyncio.CancelledError: The caller was cancelled, and the work with it.
        """
        working = asyncio.create_task(doing)
        stopped = asyncio.create_task(self._stopped.wait())
        keepers = [stopped, asyncio.create_task(self._keep(limits))]
        try:
            await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
            await self._end(working, limits)
        except asyncio.CancelledError:
            await self._end(working, limits)
            raise
        finally:
            for keeper in keepers:
                keeper.cancel()
        self._conclude(working)

    async def _end(self, working: asyncio.Task[None], limits: Limits) -> None:
        """Waits until the work has ended."""
        if not working.done():
            working.cancel()
            await asyncio.wait({working}, timeout=limits.stopping)
            if not working.done():
                raise EngineHungError(self._cause)

    def _conclude(self, working: asyncio.Task[None]) -> None:
        if not working.cancelled() and working.exception() is None:
            # It finished just when it was stopped: its event is published.
            return
        if self._cause is not None:
            raise self._cause
        if working.cancelled():
            raise StageError(Code.INTERNAL, Reason.ENGINE_FAILED, "The engine cancelled itself.")
        working.result()

    async def _keep(self, limits: Limits) -> None:
        """Stops the work if it exceeds a limit."""
        await self._begun.wait()
        over = time.monotonic() + limits.deadline
        while True:
            now = time.monotonic()
            if now >= over:
                return self.stop(over_deadline(limits.deadline))
            if now >= self._last_heartbeat + limits.silence:
                return self.stop(stalled(limits.silence))
            await asyncio.sleep(min(over, self._last_heartbeat + limits.silence) - now)
