"""Which reading comes next, among those of all live tracks."""

from __future__ import annotations

import asyncio
import contextvars
import enum
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Generic, TypeVar

from maie_asr.live.load import MAX_THINNING, LoadMeter
from maie_core.errors import StageError
from maie_runtime.background import background_tasks
from maie_speech.live.stalls import Blame, StallWatch

Result = TypeVar("Result")
Work = Callable[[], Awaitable[Result]]


def _nobody(_: StageError) -> None:
    return


class Priority(enum.IntEnum):
    """What comes first."""

    FINAL = 0
    TURN = 1
    """Whether the speaker is done."""
    EAGER = 2
    """A final whose utterance is probably over."""
    PARTIAL = 3


class Job(Generic[Result]):
    """Work that waits, runs or is done.

    Attributes:
        priority: How soon it comes; it may be raised while it waits.
        result: What came of it. Cancelled where it is no longer wanted.
        queued: When it was queued, by the monotonic clock.
        blame: Gets the error, if the work does not return.
    """

    def __init__(self, priority: Priority, work: Work[Result], blame: Blame) -> None:
        self.priority = priority
        self.blame = blame
        # Whoever runs the work, its log lines and spans are those of the track.
        self._context = contextvars.copy_context()
        self._work: Work[Any] = work
        self.result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self.queued = time.monotonic()

    async def run(self) -> Any:
        """Does the work, once."""
        work = self._work
        self.forget()
        return await asyncio.create_task(_awaited(work), context=self._context)

    def forget(self) -> None:
        """Drops the audio, since whoever waits for the result may keep the job for long."""
        self._work = _nothing


async def _nothing() -> None:
    return


async def _awaited(work: Work[Result]) -> Result:
    return await work()


class Scheduler:
    """Runs what live speech needs: finals first, partials last.

    Where there are several workers, one of them is kept from partials, so that a final never waits
    for one: it takes as long as the utterance is.

    Args:
        workers: How many run at a time.
        meter: Counts what they cost.
        stalls: Watches that each returns.
    """

    def __init__(self, workers: int, meter: LoadMeter, stalls: StallWatch) -> None:
        self._workers = workers
        self._meter = meter
        self._stalls = stalls
        self._waiting: dict[Priority, deque[Job[Any]]] = {each: deque() for each in Priority}
        self._running = 0
        self._partials, self._most_partials = 0, max(1, workers - 1)
        self._filled, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Runs the workers during the context."""
        async with background_tasks(*(self._work() for _ in range(self._workers))):
            yield

    def submit(self, priority: Priority, work: Work[Result], blame: Blame = _nobody) -> Job[Result]:
        """Queues work.

        Args:
            priority: How soon it comes.
            work: Does it.
            blame: Gets the error, if it does not return.
        """
        job = Job(priority, work, blame)
        self._waiting[priority].append(job)
        self._note()
        return job

    def promote(self, job: Job[Any], priority: Priority) -> None:
        """Raises the priority of work that waits."""
        if self._take_out(job):
            job.priority = priority
            self._waiting[priority].append(job)

    def withdraw(self, job: Job[Any]) -> None:
        """Drops work that is no longer wanted. If it runs, it ends, and nobody gets the result."""
        if not job.result.cancel() and not job.result.cancelled():
            # Failures that nobody asks for are none.
            job.result.exception()
        self._take_out(job)
        job.forget()
        self._note()

    @property
    def pressed(self) -> bool:
        """Whether finals wait, or are many."""
        waits = self._waiting[Priority.FINAL] or self._waiting[Priority.EAGER]
        return bool(waits) or self._meter.busy

    @property
    def thinning(self) -> int:
        """How many times more seldom than asked for partials should come."""
        finals = len(self._waiting[Priority.FINAL]) + len(self._waiting[Priority.EAGER])
        waiting = len(self._waiting[Priority.PARTIAL]) + 2 * finals
        return min(max(1, waiting), MAX_THINNING)

    def lateness(self) -> float:
        """How long the oldest final has waited for a worker, in seconds."""
        waiting = self._waiting[Priority.FINAL]
        return time.monotonic() - min(job.queued for job in waiting) if waiting else 0.0

    async def idle(self) -> None:
        """Waits until nothing waits or runs."""
        await self._idle.wait()

    async def _work(self) -> None:
        while True:
            while (job := self._next()) is None:
                self._filled.clear()
                await self._filled.wait()
            self._running += 1
            self._partials += job.priority is Priority.PARTIAL
            try:
                await self._run(job)
            finally:
                self._running -= 1
                self._partials -= job.priority is Priority.PARTIAL
                job.result.cancel()
                self._note()

    def _next(self) -> Job[Any] | None:
        for priority, jobs in self._waiting.items():
            if jobs and (priority is not Priority.PARTIAL or self._partials < self._most_partials):
                return jobs.popleft()
        return None

    async def _run(self, job: Job[Any]) -> None:
        started = time.monotonic()
        try:
            with self._stalls.reading(job.blame):
                found = await job.run()
        except Exception as error:  # noqa: BLE001 - whoever waits for it raises it
            if not job.result.done():
                job.result.set_exception(error)
            return
        finally:
            self._measure(job, time.monotonic() - started)
        if not job.result.done():
            job.result.set_result(found)

    def _measure(self, job: Job[Any], seconds: float) -> None:
        if job.priority is Priority.PARTIAL:
            self._meter.count_partial(seconds)
        else:
            self._meter.count_final(seconds)

    def _take_out(self, job: Job[Any]) -> bool:
        with suppress(ValueError):
            self._waiting[job.priority].remove(job)
            return True
        return False

    def _note(self) -> None:
        """Wakes whoever waits for work, or for its end."""
        waits = any(self._waiting.values())
        if waits:
            self._filled.set()
        if waits or self._running:
            self._idle.clear()
        else:
            self._idle.set()
