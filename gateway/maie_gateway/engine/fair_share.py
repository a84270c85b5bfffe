"""A fair share of the mesh for each tenant: decides which held jobs to release."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import structlog

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie_core.errors import StageError
from maie_gateway.engine.loop import Conductor
from maie_gateway.records.about import about_known
from maie_gateway.records.changes import ActiveJob, JobChanges
from maie_gateway.records.store import GONE
from maie_runtime.background import background_tasks

log = structlog.get_logger()

# Changes of jobs trigger a scan; this bounds the wait where a change is missed.
LOOK_SECONDS = 2.0
# A scan goes over all unfinished jobs, so changes within this time share one.
REST_SECONDS = 0.02


def due(jobs: Mapping[str, ActiveJob], max_running_jobs: int) -> list[str]:
    """The held jobs to release now.

    Args:
        jobs: The unfinished jobs by id; ids sort by time.
        max_running_jobs: The most jobs of one tenant and lane that may run.

    Returns:
        The ids, oldest first within each tenant and lane.
    """
    running = Counter(
        (job.tenant, job.lane) for job in jobs.values() if job.is_counted and not job.held
    )
    held: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for job_id in sorted(job_id for job_id, job in jobs.items() if job.held):
        held[jobs[job_id].tenant, jobs[job_id].lane].append(job_id)
    return [
        job_id
        for key, ids in held.items()
        for job_id in ids[: max(0, max_running_jobs - running[key])]
    ]


class FairShare:
    """Releases held jobs, oldest first, as earlier ones of their tenant and lane end.

    Each lane has its own share, so that interactive jobs do not wait behind the
    tenant's batch jobs. Every gateway scans; they agree, because each reads the
    records and a job can be released only once. While gateways accept jobs of one
    tenant at the same moment, a few more than the limit may run.
    """

    def __init__(self, changes: JobChanges, conductor: Conductor, max_running_jobs: int) -> None:
        self._changes = changes
        self._conductor = conductor
        self._limit = max_running_jobs
        self._news = asyncio.Event()

    def must_wait(self, tenant: str, lane: str) -> bool:
        """Whether to hold a new job: its tenant and lane are at their limit.

        Call this right before `Conductor.begin`, with no `await` in between, or
        all jobs that arrive at the same time are let in.
        """
        before = [
            job
            for job in self._changes.counted_jobs.values()
            if (job.tenant, job.lane) == (tenant, lane)
        ]
        return len(before) >= self._limit

    @asynccontextmanager
    async def running(self, period: float = LOOK_SECONDS) -> AsyncIterator[None]:
        """Releases held jobs as long as the context lasts."""
        with self._changes.subscribe_active(self._news.set):
            async with background_tasks(self._give(period)):
                yield

    async def _give(self, period: float) -> None:
        slots: Mapping[common.Stage, int] = {}
        while True:
            self._news.clear()
            for job_id in due(self._changes.active_jobs, self._limit):
                await self._release(job_id)
            before, slots = slots, self._conductor.policy.window
            if any(slots[stage] > before.get(stage, slots[stage]) for stage in slots):
                await self._widen()
            with suppress(TimeoutError):
                async with asyncio.timeout(period):
                    await self._news.wait()
            await asyncio.sleep(REST_SECONDS)

    async def _widen(self) -> None:
        """Queues more units of the running jobs for workers that joined since."""
        for job_id, known in tuple(self._changes.active_jobs.items()):
            if not known.held:
                await self._release(job_id)

    async def _release(self, job_id: str) -> None:
        released = event.StageEvent(job_id=job_id, job_released=event.JobReleased())
        with about_known(self._changes, job_id):
            try:
                await self._conductor.take(job_id, [released])
            except StageError as error:
                if error.reason in GONE:
                    self._changes.forget(job_id)
                else:
                    log.warning("fair_share.release_failed", reason=error.reason)
