"""Ends jobs that wait for optional units alone, once those have had their time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
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
# A job whose turn did not come waits for so long at most: reports of workers are a second old, and
# a unit that begins may not be in them.
NOT_BEGUN_SECONDS = 3.0


class OptionalUnits:
    """Gives up the optional units of jobs that are done but for them.

    Every gateway scans; the first whose change is stored ends the job.

    Args:
        changes: The unfinished jobs, and since when each waits for optional units.
        conductor: Ends them.
        workers: The live workers. A job waits in vain where all of them are busy with others.
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
            now = time.monotonic()
            for job_id, known in tuple(self._changes.active_jobs.items()):
                if known.optional_since is None:
                    continue
                waited = now - known.optional_since
                if waited >= self._grace_seconds:
                    why = late(known.runnable, self._workers.slots(), self._grace_seconds)
                    await self._end(job_id, why)
                elif waited >= NOT_BEGUN_SECONDS and self._has_not_begun(job_id, known):
                    await self._end(job_id, not_begun(known.runnable))

    def _has_not_begun(self, job_id: str, known: ActiveJob) -> bool:
        """Whether nobody has begun with a job's optional units, and nobody is about to."""
        stages = known.runnable
        return (
            bool(stages)
            and not known.optional_done
            and all(self._workers.are_busy_with_others(stage, job_id) for stage in stages)
        )

    async def _end(self, job_id: str, failure: common.Failure) -> None:
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
        return _failure(f"No worker of {', '.join(away)} runs any more.")
    return _failure(f"It was not done within {grace_seconds:.0f} s of the rest of the job.")


def not_begun(waiting: Iterable[common.Stage]) -> common.Failure:
    """Why optional units were not begun.

    Args:
        waiting: The stages of the units that could have run.
    """
    busy = sorted(binding.slug for stage in waiting if (binding := binding_of(stage)) is not None)
    return _failure(
        f"All workers of {', '.join(busy)} were busy with other jobs when the rest of this one was "
        "done."
    )


def _failure(message: str) -> common.Failure:
    error = StageError(Reason.OPTIONAL_UNIT_LATE.code, Reason.OPTIONAL_UNIT_LATE, message)
    return error.to_failure("")
