"""The host runs a stage's work for every transport.

A transport turns a task or a call into `Work`, and the work's outcome into an
acknowledgement or a status. The host manages slots, limits, cancellation and
the GPU for both.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from datetime import timedelta
from typing import Any

import structlog
from opentelemetry.trace import NoOpTracer, Tracer

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.settings import ServiceSettings
from maie_core.spans import slow_span, span
from maie_runtime.gpu.residency import Residency
from maie_runtime.worker.engine_calls import count_engine_calls
from maie_runtime.worker.quarantine import ClosedError, Quarantine
from maie_runtime.worker.work import EngineHungError, Limits, UnwantedError, Work

log = structlog.get_logger()

Heartbeat = Callable[[], None]
Do = Callable[[Heartbeat], Coroutine[Any, Any, None]]
Interceptor = Callable[[Work], AbstractAsyncContextManager[None]]

# Units that were taken together with a suspect are returned before it may kill the worker.
SUSPECT_PAUSE_SECONDS = 0.5
# The most cancelled jobs to remember, whose units may still arrive; more than any second has.
CANCELLED_JOBS = 256
# The longest time for returning work before the process ends, if the broker does not answer.
LAST_WORDS_SECONDS = 5.0
# Most slots are held for seconds to minutes.
NO_SLOT_RETRY_AFTER = timedelta(seconds=5)
HUNG_STATUS = 70


def end_process() -> None:
    """Ends the process at once, if its engine cannot be stopped."""
    os._exit(HUNG_STATUS)


@asynccontextmanager
async def log_context(work: Work) -> AsyncIterator[None]:
    """Adds the work's ids to each log line in the context."""
    tenant = {"tenant": work.tenant} if work.tenant else {}
    with structlog.contextvars.bound_contextvars(
        job=work.job_id, unit=work.unit, attempt=work.attempt, **tenant
    ):
        yield


class Host:
    """Runs all work of one stage's worker.

    Each unit and each call takes a slot, from one first-in, first-out queue,
    so that neither a backlog of units nor a flood of calls blocks the other.

    Args:
        settings: Slots and limits.
        residency: Loads and unloads the stage's model.
        abandon: Ends the process, if its engine hangs and would keep its slot.
        interceptors: Entered around each work while it has the model, the first one outermost.
        tracer: Makes spans of the wait for the model, and of the run.

    Attributes:
        slots: The free slots. The caller that acquires one releases it after the work.
        quarantine: Keeps a suspect away from other work.
        admits: Whether it may take units; an engine's server may not be ready.
        residency: As given.
        tracer: As given.
    """

    def __init__(
        self,
        *,
        settings: ServiceSettings,
        residency: Residency,
        abandon: Callable[[], None] = end_process,
        interceptors: Sequence[Interceptor] = (log_context,),
        tracer: Tracer | None = None,
    ) -> None:
        self.slots = asyncio.Semaphore(settings.slots)
        self.quarantine = Quarantine()
        self.admits = True
        self.residency = residency
        self._settings = settings
        self._limits = Limits.of(settings)
        self._abandon = abandon
        self._interceptors = interceptors
        self.tracer = tracer or NoOpTracer()
        self.calls_in_line = 0
        self._scout: int | None = None
        self._in_hand: defaultdict[str, set[Work]] = defaultdict(set)
        self._cancelled: deque[str] = deque(maxlen=CANCELLED_JOBS)
        self._leave_listeners: list[Callable[[], None]] = []

    @contextmanager
    def holding(self, work: Work) -> Iterator[None]:
        """Registers work, to be cancelled or returned, until it is settled."""
        self._in_hand[work.job_id].add(work)
        try:
            yield
        finally:
            self._in_hand[work.job_id].discard(work)
            if not self._in_hand[work.job_id]:
                del self._in_hand[work.job_id]

    async def run(self, work: Work, do: Do) -> None:
        """Runs registered work in a slot of the caller.

        Args:
            work: The work.
            do: Does it; called with the heartbeat function.

        Raises:
            StageError: It failed, stalled or took too long, or its GPU was lost.
            UnwantedError: It was cancelled.
            ClosedError: A suspect runs or waits to run.
            EngineHungError: It does not stop. All work is returned, and the process ends.
        """
        try:
            await work.see_through(self._run(work, do), self._limits)
        except EngineHungError as hung:
            await self.leave(hung.cause, work)
            raise

    async def call(self, work: Work, do: Do) -> None:
        """Runs work for a waiting caller: takes a slot, and releases it.

        Raises:
            StageError: RESOURCE_EXHAUSTED with NO_SLOT: as many calls wait for a slot as there
                are slots, or none came free in time; else as `run`.
            UnwantedError: As `run`.
            EngineHungError: As `run`.
        """
        await self._take_slot()
        try:
            while True:
                await self.quarantine.opened()
                try:
                    with self.holding(work):
                        return await self.run(work, do)
                except ClosedError:
                    continue
        finally:
            self.slots.release()

    def cancel(self, job_id: str) -> None:
        """Stops the running work of a job."""
        self._cancelled.append(job_id)
        for work in tuple(self._in_hand.get(job_id, ())):
            work.stop(UnwantedError())

    def was_cancelled(self, job_id: str) -> bool:
        """Whether a job was cancelled recently; it may have been resumed since."""
        return job_id in self._cancelled

    def may_take(self, puller: int) -> bool:
        """Whether a puller may take a unit; none may while the engine's server is not ready.

        While another service has the shared GPU, only one puller takes one unit, and waits with it
        for the GPU: there is no other way to detect work, for JetStream does not distinguish
        redelivered units from running ones. The other units are left to other workers.
        """
        if not self.admits:
            return False
        if self.residency.admits:
            return True
        if self._scout is None and puller >= self._settings.interactive_slots:
            self._scout = puller
        return self._scout == puller

    def took(self, puller: int) -> None:
        """Records that a puller has finished its unit, if it had one."""
        if self._scout == puller:
            self._scout = None

    def on_leave(self, listener: Callable[[], None]) -> None:
        """Calls `listener` before the running work is returned, so that no more is taken."""
        self._leave_listeners.append(listener)

    async def _run(self, work: Work, do: Do) -> None:
        """Does the work; a suspect alone."""
        async with self.quarantine.place(suspect=work.suspect):
            if work.suspect:
                await asyncio.sleep(SUSPECT_PAUSE_SECONDS)
            async with AsyncExitStack() as stack:
                with slow_span(self.tracer, "maie.model.wait"):
                    await stack.enter_async_context(self.residency.use())
                for intercept in self._interceptors:
                    await stack.enter_async_context(intercept(work))
                stack.enter_context(span(self.tracer, "maie.run"))
                count_engine_calls(work.engine_calls)
                work.begin()
                await do(work.heartbeat)

    async def _take_slot(self) -> None:
        if not self.slots.locked():
            await self.slots.acquire()
            return
        if self.calls_in_line >= self._settings.slots:
            raise _no_slot()
        self.calls_in_line += 1
        try:
            async with asyncio.timeout(self._limits.silence):
                await self.slots.acquire()
        except TimeoutError:
            raise _no_slot() from None
        finally:
            self.calls_in_line -= 1

    async def leave(self, cause: Exception | None, hung: Work | None = None) -> None:
        """Returns all work and ends the process, after an engine hangs.

        Args:
            cause: Why the engine was stopped; None if the worker drains or a caller has left.
            hung: The work with which it hangs; None for a stream.
        """
        log.critical("worker.engine_hung", cause=str(cause), status=HUNG_STATUS)
        for listener in self._leave_listeners:
            listener()
        try:
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                if hung is not None:
                    await hung.leave(cause)
                others = [work for works in self._in_hand.values() for work in works]
                for work in others:
                    if work is not hung:
                        await work.leave(None)
        except TimeoutError:
            log.warning("worker.work_not_handed_on")
        finally:
            self._abandon()


def _no_slot() -> StageError:
    return StageError(
        Code.RESOURCE_EXHAUSTED,
        Reason.NO_SLOT,
        "All of the worker's slots are taken and others wait for one; try again in a few seconds, "
        "or start more workers.",
        retry_after=NO_SLOT_RETRY_AFTER,
    )
