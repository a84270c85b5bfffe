"""A job's events for one watcher: what is logged, what is new, and the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from google.protobuf.message import DecodeError

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.conductor import FINAL_STATES, log_events
from maie_gateway.records.changes import JobChanges
from maie_gateway.records.store import JobStore
from maie_gateway.rpc.progress import WatcherState
from maie_gateway.views.results import HAS_OUTPUT, Results
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import RETRY_AFTER, Broker
from maie_runtime.bus.errors import NatsError
from maie_runtime.bus.types import Msg
from maie_runtime.errors import Code, StageError
from maie_runtime.reasons import Reason

# News comes over the watch of the bucket; this bounds the wait when one is missed.
POLL_SECONDS = 2.0


class Watch:
    """Tells watchers what happens to jobs.

    Every durable event has the sequence of its place in the record's log, so a
    watcher who reconnects, to any gateway, goes on without a gap or a repeat.
    """

    def __init__(
        self, broker: Broker, store: JobStore, changes: JobChanges, results: Results
    ) -> None:
        self._broker = broker
        self._store = store
        self._changes = changes
        self._results = results
        self._draining = False

    def drain(self) -> None:
        """Ends every watch with UNAVAILABLE, so that watchers go to another gateway."""
        self._draining = True
        self._changes.tell_all()

    async def events(
        self, job_id: str, after_sequence: int = 0
    ) -> AsyncGenerator[job.JobEvent, None]:
        """Tells a job's events from a sequence to its end.

        Raises:
            StageError: NOT_FOUND with JOB_NOT_FOUND; UNAVAILABLE with
                GATEWAY_DRAINING, after which another gateway can be asked.
        """
        watcher = WatcherState(after_sequence)

        async def on_progress(message: Msg) -> None:
            with suppress(DecodeError):
                watcher.take(event.StageEvent.FromString(message.data))

        with self._changes.subscribe(job_id, watcher.changed):
            heard = await self._broker.client.subscribe(subjects.progress(job_id), cb=on_progress)
            try:
                async with aclosing(self._follow(job_id, watcher)) as events:
                    async for told in events:
                        yield told
            finally:
                with suppress(NatsError, OSError):
                    await heard.unsubscribe()

    async def _follow(
        self, job_id: str, watcher: WatcherState
    ) -> AsyncGenerator[job.JobEvent, None]:
        seen = record.JobRecord()
        while seen.state not in FINAL_STATES:
            watcher.news.clear()
            if watcher.stale:
                watcher.stale = False
                seen = await self._seen(job_id)
            for told in log_events(seen, watcher.sequence):
                watcher.sequence = told.sequence
                yield told
                for more in await self._consequences(seen, told, watcher):
                    yield more
            for told in watcher.fresh(seen):
                yield told
            if seen.state not in FINAL_STATES:
                await self._wait(job_id, watcher)
        async with self._store.reading(job_id):
            finished = job.JobFinished(job=await self._results.job(seen))
        yield _now(finished=finished)

    async def _consequences(
        self, seen: record.JobRecord, told: job.JobEvent, watcher: WatcherState
    ) -> list[job.JobEvent]:
        """What the end of a unit brings: its stage's progress, its segments and its warnings."""
        if told.WhichOneof("event") != "unit_ended":
            return []
        ended = told.unit_ended
        events = [_now(stage_progress=watcher.stage_progress(seen, ended.stage))]
        if ended.state in HAS_OUTPUT:
            unit = next(unit for unit in seen.units if unit.unit == ended.unit)
            async with self._store.reading(seen.job_id):
                news = await self._results.news(seen, unit)
            events += [_now(segment=each) for each in news.segments if watcher.is_new(each)]
            events += [_now(warning=each) for each in news.warnings if watcher.is_unheard(each)]
        return events

    async def _seen(self, job_id: str) -> record.JobRecord:
        """The record as it was noted last, or read."""
        stored = self._changes.recent(job_id)
        return stored.record if stored else await self._read(job_id)

    async def _read(self, job_id: str) -> record.JobRecord:
        """Reads the record and notes it: who hears of a state finds it in lists, too."""
        stored = await self._store.get(job_id)
        self._changes.note(stored)
        return stored.record

    async def _wait(self, job_id: str, watcher: WatcherState) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await watcher.news.wait()
        except TimeoutError:
            await self._read(job_id)
        if self._draining:
            raise StageError(
                Code.UNAVAILABLE,
                Reason.GATEWAY_DRAINING,
                "This gateway is shutting down; the job goes on, so watch it again.",
                retry_after=RETRY_AFTER,
            )


def _now(
    *,
    stage_progress: job.StageProgress | None = None,
    segment: common.Segment | None = None,
    warning: common.Warning | None = None,
    finished: job.JobFinished | None = None,
) -> job.JobEvent:
    told = job.JobEvent(
        stage_progress=stage_progress, segment=segment, warning=warning, finished=finished
    )
    told.event_time.GetCurrentTime()
    return told
