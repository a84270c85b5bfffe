"""Sends a job's events to watchers: the log, live progress, and the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from google.protobuf.message import DecodeError

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.conductor import FINAL_STATES, log_events
from maie_gateway.records.changes import JobChanges
from maie_gateway.records.store import JobStore
from maie_gateway.rpc.progress import WatcherState
from maie_gateway.views.results import HAS_OUTPUT, Results
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import RETRY_AFTER, Broker
from maie_runtime.bus.errors import NatsError
from maie_runtime.bus.types import Msg

# Changes come over the watch of the bucket; this bounds the wait where one is missed.
POLL_SECONDS = 2.0


class Watch:
    """Sends the events of jobs to watchers.

    The sequence of a durable event is its index in the record's log, so a watcher
    that reconnects, to any gateway, continues without gaps or duplicates.
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
        self._changes.notify_all()

    async def events(
        self, job_id: str, after_sequence: int = 0
    ) -> AsyncGenerator[job.JobEvent, None]:
        """Yields a job's events from a sequence to its end.

        Raises:
            StageError: NOT_FOUND with JOB_NOT_FOUND; UNAVAILABLE with
                GATEWAY_DRAINING: watch again at another gateway.
        """
        watcher = WatcherState(after_sequence)

        async def on_progress(message: Msg) -> None:
            with suppress(DecodeError):
                watcher.take(event.StageEvent.FromString(message.data))

        with self._changes.subscribe(job_id, watcher.changed):
            progress = await self._broker.client.subscribe(
                subjects.progress(job_id), cb=on_progress
            )
            try:
                async with aclosing(self._follow(job_id, watcher)) as events:
                    async for job_event in events:
                        yield job_event
            finally:
                with suppress(NatsError, OSError):
                    await progress.unsubscribe()

    async def _follow(
        self, job_id: str, watcher: WatcherState
    ) -> AsyncGenerator[job.JobEvent, None]:
        seen = record.JobRecord()
        while seen.state not in FINAL_STATES:
            watcher.news.clear()
            if watcher.stale:
                watcher.stale = False
                seen = await self._seen(job_id)
            for job_event in log_events(seen, watcher.sequence):
                watcher.sequence = job_event.sequence
                yield job_event
                for more in await self._consequences(seen, job_event, watcher):
                    yield more
            for job_event in watcher.fresh(seen):
                yield job_event
            if seen.state not in FINAL_STATES:
                await self._wait(job_id, watcher)
        async with self._store.reading(job_id):
            finished = job.JobFinished(job=await self._results.job(seen))
        yield _now(finished=finished)

    async def _consequences(
        self, seen: record.JobRecord, job_event: job.JobEvent, watcher: WatcherState
    ) -> list[job.JobEvent]:
        """The events after the end of a unit: its stage's progress, its segments and warnings."""
        if job_event.WhichOneof("event") != "unit_ended":
            return []
        ended = job_event.unit_ended
        events = [_now(stage_progress=watcher.stage_progress(seen, ended.stage))]
        if ended.state in HAS_OUTPUT:
            unit = next(unit for unit in seen.units if unit.unit == ended.unit)
            async with self._store.reading(seen.job_id):
                news = await self._results.news(seen, unit)
            events += [_now(segment=each) for each in news.segments if watcher.is_new_segment(each)]
            events += [_now(warning=each) for each in news.warnings if watcher.is_new_warning(each)]
        return events

    async def _seen(self, job_id: str) -> record.JobRecord:
        """The cached record, or the stored one."""
        stored = self._changes.recent(job_id)
        return stored.record if stored else await self._read(job_id)

    async def _read(self, job_id: str) -> record.JobRecord:
        """Reads the record and notes it, so that lists show the same state."""
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
    job_event = job.JobEvent(
        stage_progress=stage_progress, segment=segment, warning=warning, finished=finished
    )
    job_event.event_time.GetCurrentTime()
    return job_event
