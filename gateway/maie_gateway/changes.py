"""Which jobs are unfinished, and who listens for changes of which."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import structlog
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from maie.job.v1 import record_pb2 as record
from maie_gateway.conductor import FINAL_STATES
from maie_runtime.broker import Broker

log = structlog.get_logger()

Listener = Callable[[], None]

RESTART_SECONDS = 1.0


class JobChanges:
    """Follows the bucket of job records over one watch for all.

    It holds the ids of unfinished jobs and nothing of finished ones.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._active: set[str] = set()
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)
        self._complete = asyncio.Event()

    @property
    def active(self) -> frozenset[str]:
        """The ids of the jobs that are not finished."""
        return frozenset(self._active)

    def note(self, seen: record.JobRecord) -> None:
        """Takes in a record, as read or as just written, and tells who listens."""
        if seen.state in FINAL_STATES:
            self._active.discard(seen.job_id)
        else:
            self._active.add(seen.job_id)
        for listener in tuple(self._listeners.get(seen.job_id, ())):
            listener()

    def tell_all(self) -> None:
        """Tells everyone who listens, whatever they listen for."""
        for listeners in tuple(self._listeners.values()):
            for listener in tuple(listeners):
                listener()

    @contextmanager
    def subscribe(self, job_id: str, listener: Listener) -> Iterator[None]:
        """Calls `listener` at each change of a job's record while the context lasts."""
        self._listeners[job_id].add(listener)
        try:
            yield
        finally:
            self._listeners[job_id].discard(listener)
            if not self._listeners[job_id]:
                del self._listeners[job_id]

    @asynccontextmanager
    async def follow(self) -> AsyncIterator[None]:
        """Follows the bucket; begins once all records have been seen."""
        following = asyncio.create_task(self._follow())
        try:
            await self._complete.wait()
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _follow(self) -> None:
        while True:
            try:
                await self._watch()
            except (NatsError, APIError, OSError) as error:
                log.warning("changes.watch_failed", error=str(error) or type(error).__name__)
            await asyncio.sleep(RESTART_SECONDS)

    async def _watch(self) -> None:
        watcher = await self._broker.jobs.watchall()
        try:
            async for entry in watcher:
                if entry is None:
                    self._complete.set()
                elif entry.operation is None:
                    self.note(record.JobRecord.FromString(entry.value))
                else:
                    self._active.discard(entry.key)
        finally:
            with suppress(NatsError, OSError):
                await watcher.stop()
