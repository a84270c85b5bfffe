"""Ends jobs that wait for optional units alone, once those have had their time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_gateway.engine.loop import Conductor
from maie_gateway.engine.workers import LiveWorkers
from maie_gateway.records.about import about_known
from maie_gateway.records.changes import ActiveJob, JobChanges
from maie_gateway.records.store import GONE
from maie_pipeline.bindings import binding_of
from maie_runtime.background import background_tasks
from maie_runtime.bus.broker import BROKER_ERRORS

log = structlog.get_logger()

# Interval between scans; a job waits for so much longer at most.
LOOK_SECONDS = 1.0


class OptionalUnits:
    """Gives up the optional units of jobs that are done but for them.

    Every gateway scans; the first whose change is stored ends the job.

    Args:
        changes: The unfinished jobs, and since when each waits for optional units.
        conductor: Ends them.
        workers: The live workers, for the sentence that says why.
        grace_seconds: How long a job waits; 0 or more.
    """

    def __init__(
        self, changes: JobChanges, conductor: Conductor, workers: LiveWorkers, grace_seconds: float
    ) -> None:
        self._changes = changes
        self._conductor = conductor
        self._workers = workers
        self._grace_seconds = grace_seconds

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Scans while the context lasts."""
        async with background_tasks(self._look_around()):
            yield

    async def _look_around(self) -> None:
        while True:
            await asyncio.sleep(min(LOOK_SECONDS, max(self._grace_seconds, 0.05)))
            latest = time.monotonic() - self._grace_seconds
            for job_id, known in tuple(self._changes.active_jobs.items()):
                if known.optional_since is not None and known.optional_since <= latest:
                    await self._end(job_id, known)

    async def _end(self, job_id: str, known: ActiveJob) -> None:
        failure = late(known.runnable, self._workers.slots(), self._grace_seconds)
        ended = event.OptionalUnitsLate(failure=failure)
        with about_known(self._changes, job_id):
            try:
                await self._conductor.take(
                    job_id, [event.StageEvent(job_id=job_id, optional_units_late=ended)]
                )
            except (StageError, *BROKER_ERRORS) as error:
                if getattr(error, "reason", "") in GONE:
                    self._changes.forget(job_id)
                else:
                    # The next scan tries again.
                    log.warning("optional_units.not_ended", error=str(error))
            else:
                log.info("optional_units.late", message=failure.message)


def late(
    waiting: Mapping[common.Stage, int], slots: Mapping[common.Stage, int], grace_seconds: float
) -> common.Failure:
    """Why optional units did not end in time.

    Args:
        waiting: The units that could have run, by stage.
        slots: The slots of the live workers, by stage.
        grace_seconds: How long the job waited.
    """
    away = sorted(
        binding.slug
        for stage in waiting
        if not slots.get(stage) and (binding := binding_of(stage)) is not None
    )
    if away:
        message = f"No worker of {', '.join(away)} runs any more."
    else:
        message = f"It was not done within {grace_seconds:.0f} s of the rest of the job."
    error = StageError(Reason.OPTIONAL_UNIT_LATE.code, Reason.OPTIONAL_UNIT_LATE, message)
    return error.to_failure("")
