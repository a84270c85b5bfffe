"""Finds jobs that stand still and moves them on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from maie.job.v1 import record_pb2 as record
from maie_gateway.changes import JobChanges
from maie_gateway.conductor import pending_tasks
from maie_gateway.loop import Conductor
from maie_gateway.store import JobStore
from maie_runtime import subjects
from maie_runtime.broker import Broker
from maie_runtime.errors import StageError

log = structlog.get_logger()

# Younger changes may still have their tasks or events under way.
SETTLED_SECONDS = 10.0


class Reconciler:
    """Publishes tasks that a record calls for and the queue does not hold.

    That happens when a gateway dies after it stored a record and before it
    published the tasks. A task leaves the queue only after its event is stored.
    """

    def __init__(
        self, broker: Broker, store: JobStore, changes: JobChanges, conductor: Conductor
    ) -> None:
        self._broker = broker
        self._store = store
        self._changes = changes
        self._conductor = conductor

    @asynccontextmanager
    async def running(self, period: float) -> AsyncIterator[None]:
        """Looks at all unfinished jobs every `period` seconds."""
        looking = asyncio.create_task(self._look_around(period))
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def _look_around(self, period: float) -> None:
        while True:
            for job_id in self._changes.active:
                try:
                    await self._reconcile(job_id)
                except (StageError, NatsError, APIError, OSError) as error:
                    log.warning("reconciler.failed", job=job_id, error=str(error))
            await asyncio.sleep(period)

    async def _reconcile(self, job_id: str) -> None:
        seen = (await self._store.get(job_id)).record
        self._changes.note(seen)
        if time.time() - _last_change(seen) < SETTLED_SECONDS:
            return
        if await self._events_pending():
            return
        queued = await self._queued_subjects(job_id)
        lost = [
            task
            for task in pending_tasks(seen)
            if subjects.task(task.WhichOneof("request") or "", job_id, task.unit) not in queued
        ]
        if lost:
            log.warning("reconciler.republished", job=job_id, units=[task.unit for task in lost])
            await self._conductor.publish(lost)

    async def _events_pending(self) -> bool:
        """Whether events wait that may explain what is missing."""
        info = await self._broker.jetstream.consumer_info(subjects.EVENTS, subjects.CONDUCTOR)
        return bool(info.num_pending or info.num_ack_pending)

    async def _queued_subjects(self, job_id: str) -> set[str]:
        info = await self._broker.jetstream.stream_info(
            subjects.TASKS, subjects_filter=subjects.tasks_of_job(job_id)
        )
        return set(info.state.subjects or ())


def _last_change(seen: record.JobRecord) -> float:
    return seen.log[-1].event_time.ToNanoseconds() / 1e9 if seen.log else 0.0
