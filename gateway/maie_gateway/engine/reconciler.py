"""Finds stalled jobs and publishes their lost tasks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from maie.event.v1 import event_pb2 as event
from maie_core.errors import StageError
from maie_gateway.conductor import binding, pending_tasks
from maie_gateway.engine.loop import Conductor
from maie_gateway.records.about import about, about_known
from maie_gateway.records.changes import ActiveJob, JobChanges
from maie_gateway.records.store import GONE
from maie_runtime.background import background_tasks
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker
from maie_runtime.bus.errors import NotFoundError

log = structlog.get_logger()

# Tasks or events of younger changes may still be on their way.
SETTLED_SECONDS = 10.0
# Gateways publish a lost task at most once in this time, all together.
AGAIN_SECONDS = 60.0


class Reconciler:
    """Publishes tasks of queued units that are missing in the queue.

    They are missing when a gateway dies after it stored a record and before it
    published the tasks. A task leaves the queue only after its event is stored.

    Args:
        broker: The broker.
        changes: The unfinished jobs, and when each changed last.
        conductor: Publishes the tasks.
        settled_seconds: A job that changed later than this ago is skipped.
    """

    def __init__(
        self,
        broker: Broker,
        changes: JobChanges,
        conductor: Conductor,
        settled_seconds: float = SETTLED_SECONDS,
    ) -> None:
        self._broker = broker
        self._changes = changes
        self._conductor = conductor
        self._settled_seconds = settled_seconds

    @asynccontextmanager
    async def running(self, period: float) -> AsyncIterator[None]:
        """Scans all unfinished jobs every `period` seconds."""
        async with background_tasks(self._look_around(period)):
            yield

    async def _look_around(self, period: float) -> None:
        while True:
            for job_id, known in tuple(self._changes.active_jobs.items()):
                try:
                    await self._reconcile(job_id, known)
                except (StageError, *BROKER_ERRORS) as error:
                    with about_known(self._changes, job_id):
                        log.warning("reconciler.failed", error=str(error))
                    if getattr(error, "reason", "") in GONE:
                        self._changes.forget(job_id)
            await asyncio.sleep(period)

    async def _reconcile(self, job_id: str, known: ActiveJob) -> None:
        # The tasks of a live session come when it has ended.
        if known.held or known.live or time.monotonic() - known.since < self._settled_seconds:
            return
        # The order matters: an event is stored before its task leaves the queue, so a task that
        # is missing now has an event, and an event that is not waiting now is in the record.
        queued = await self._queued_subjects(job_id)
        if await self._events_waiting(job_id):
            return
        seen = await self._conductor.take(job_id, [_released(job_id)])
        if self._changes.active_jobs.get(job_id) != known:
            return
        lost = [
            task
            for task in pending_tasks(seen)
            if subjects.task(binding(task).slug, job_id, task.unit, known.lane) not in queued
        ]
        if lost:
            with about(seen):
                log.warning("reconciler.republished", units=[task.unit for task in lost])
                # The broker would drop the first id as a duplicate. All gateways compute the same
                # one.
                again = str(int(time.time() // AGAIN_SECONDS))
                await self._conductor.publish(seen, lost, again)

    async def _events_waiting(self, job_id: str) -> bool:
        """Whether unprocessed events of the job may explain missing tasks."""
        try:
            last = await self._broker.jetstream.get_last_msg(
                subjects.EVENTS, subjects.event("*", job_id)
            )
        except NotFoundError:
            return False
        info = await self._broker.jetstream.consumer_info(subjects.EVENTS, subjects.CONDUCTOR)
        settled = info.ack_floor.stream_seq if info.ack_floor else 0
        return (last.seq or 0) > settled

    async def _queued_subjects(self, job_id: str) -> set[str]:
        info = await self._broker.jetstream.stream_info(
            subjects.TASKS, subjects_filter=subjects.tasks_of_job(job_id)
        )
        return set(info.state.subjects or ())


def _released(job_id: str) -> event.StageEvent:
    """The event on which a running job queues the units that the window has room for."""
    return event.StageEvent(job_id=job_id, job_released=event.JobReleased())
