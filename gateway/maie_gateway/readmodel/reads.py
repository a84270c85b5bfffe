"""Runs reads concurrently, each for a bounded time, and few at once for one tenant."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock
from typing import TypeVar
from weakref import WeakValueDictionary

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason

ResultT = TypeVar("ResultT")

# A usual page takes milliseconds; what is asked again and again must not take a thread for long.
READ_SECONDS = 5.0
READ_THREADS = 4
# So that a thread is always free for another tenant.
TENANT_READS = 2
# Of one tenant; with pages of milliseconds, the last one waits for a moment only.
WAITING_READS = 64
RETRY_AFTER = timedelta(seconds=1)


class Deadline:
    """When a read has to end, in any thread."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._lock = Lock()
        self._cancel: Callable[[], None] | None = None

    @property
    def passed(self) -> bool:
        """Whether it is time to end."""
        return time.monotonic() >= self._end

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return max(self._end - time.monotonic(), 0.0)

    @contextmanager
    def cancelling(self, cancel: Callable[[], None]) -> Iterator[None]:
        """Sets the callback that cancels the read from outside; never called after the context."""
        with self._lock:
            self._cancel = cancel
        try:
            yield
        finally:
            with self._lock:
                self._cancel = None

    def end(self) -> None:
        """Cancels a read whose caller is gone. May block on the database for a moment."""
        self._end = 0.0
        with self._lock:
            if self._cancel is not None:
                self._cancel()


def query_too_slow() -> StageError:
    """The error for a query that took too long."""
    return StageError(
        Code.DEADLINE_EXCEEDED,
        Reason.QUERY_TOO_SLOW,
        f"The query was ended after {READ_SECONDS:g} seconds; ask for fewer words, labels or "
        "states, or a smaller page.",
    )


class Reads:
    """Runs reads in threads.

    Args:
        threads: `READ_THREADS` of them.

    Raises:
        StageError: RESOURCE_EXHAUSTED with TOO_MANY_READS.
    """

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._turns: WeakValueDictionary[str, _Turns] = WeakValueDictionary()

    async def run(self, tenant: str, read: Callable[[Deadline], ResultT]) -> ResultT:
        """Runs a tenant's read when a slot is free; ends it if its caller is cancelled."""
        turns = self._turns.setdefault(tenant, _Turns())
        await turns.take()
        deadline = Deadline(READ_SECONDS)
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._threads, read, deadline)
        # The slot is free when the thread is done, not when its caller is cancelled.
        running.add_done_callback(lambda _: turns.give())
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            loop.run_in_executor(None, deadline.end)
            raise


class _Turns:
    """How many reads of a tenant run, and wait."""

    def __init__(self) -> None:
        self._running = asyncio.Semaphore(TENANT_READS)
        self._waiting = 0

    async def take(self) -> None:
        if self._waiting >= WAITING_READS:
            raise StageError(
                Code.RESOURCE_EXHAUSTED,
                Reason.TOO_MANY_READS,
                f"{WAITING_READS} lists and searches of this tenant wait already; ask again later.",
                retry_after=RETRY_AFTER,
            )
        self._waiting += 1
        try:
            await self._running.acquire()
        finally:
            self._waiting -= 1

    def give(self) -> None:
        self._running.release()
