"""Keeps so many jobs or live streams running."""

from __future__ import annotations

import asyncio
import random
from typing import Protocol

from maie_cli.load.runs import Clock, Run, State, Trouble
from maie_client import ClientError


class Work(Protocol):
    """What a load does over and over."""

    async def do(self, run: Run) -> None:
        """Does it once, and notes what came of it.

        Raises:
            ClientError: It failed.
        """
        ...

    async def cancel(self, run: Run) -> bool:
        """Ends what is being done in order; False where it can only be left."""
        ...


class Load:
    """Does something a number of times, so many at a time.

    Args:
        work: What to do.
        count: How often.
        at_once: How many at a time.
        apart_seconds: How far apart the first ones begin, at random, so that they do not all do the
            same at the same moment.

    Attributes:
        runs: What came of each that began.
        count: How often it is to be done.
        clock: The time since it began.
        seconds: How long it took; 0 before its end.
    """

    def __init__(self, work: Work, *, count: int, at_once: int, apart_seconds: float = 0.0) -> None:
        self.runs: list[Run] = []
        self.count = count
        self.clock = Clock()
        self.seconds = 0.0
        self._work = work
        self._at_once = min(at_once, count)
        self._apart_seconds = apart_seconds
        self._running: dict[asyncio.Task[None], Run] = {}
        self._stopping = asyncio.Event()

    @property
    def stopped(self) -> bool:
        """Whether it was stopped before its end."""
        return self._stopping.is_set()

    def count_of(self, state: State) -> int:
        """How many are in a state."""
        return sum(run.state is state for run in self.runs)

    def stop(self) -> None:
        """Begins no more, and ends what runs."""
        self._stopping.set()

    async def run(self) -> None:
        """Does it all, or until `stop`."""
        self.clock = Clock()
        workers = [asyncio.create_task(self._worker(number)) for number in range(self._at_once)]
        stopping = asyncio.create_task(self._cancel_when_stopped())
        try:
            await asyncio.gather(*workers)
        finally:
            self.seconds = self.clock.seconds
            tasks = (stopping, *workers, *self._running)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _cancel_when_stopped(self) -> None:
        await self._stopping.wait()
        await asyncio.gather(*(self._cancel(*each) for each in list(self._running.items())))

    async def _cancel(self, task: asyncio.Task[None], run: Run) -> None:
        if not await self._work.cancel(run):
            task.cancel()

    async def _worker(self, number: int) -> None:
        await self._pause(self._apart_seconds * (number + random.random()))  # noqa: S311 # no secret
        while len(self.runs) < self.count and not self.stopped:
            run = Run(clock=self.clock)
            self.runs.append(run)
            await self._do(run)

    async def _do(self, run: Run) -> None:
        task = asyncio.create_task(self._work.do(run))
        self._running[task] = run
        await asyncio.wait({task})
        del self._running[task]
        if task.cancelled():
            run.state = State.CANCELLED
            return
        try:
            task.result()
        except ClientError as error:
            run.fail(Trouble.of(error))
            if error.retry_after is not None:
                await self._pause(error.retry_after.total_seconds())

    async def _pause(self, seconds: float) -> None:
        """Waits, or until it is stopped."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
