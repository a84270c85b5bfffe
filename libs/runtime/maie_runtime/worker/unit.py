"""Runs one unit of work: from its task to the event with its outcome."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, nullcontext
from typing import Any

import structlog
from google.protobuf.message import Message

from maie.event.v1 import event_pb2 as event
from maie_core.durations import seconds
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_pipeline.bindings import StageBinding
from maie_runtime import folders
from maie_runtime.background import background_tasks
from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.failpoints import failpoint
from maie_runtime.worker.metrics import WorkMetrics
from maie_runtime.worker.stage import MeasuresResults, ResultFigures, Stage, StageContext
from maie_runtime.worker.work import Work

log = structlog.get_logger()

# A finished result is worth waiting for a broker's restart.
EVENT_GIVE_UP_SECONDS = 300.0
# A start event needs two durable writes; a unit shorter than this publishes only its end.
START_SECONDS = 0.1
# The shortest interval between progress events; a stage may report a hundred times as often.
PROGRESS_SECONDS = 0.2


class UnitRunner:
    """Runs units of one stage and publishes their outcome.

    Args:
        binding: The stage's place in the contract.
        stage: The stage.
        broker: The broker for events.
        blobs: The object store for results.
        worker: The worker's instance name.
        metrics: Counts results.
    """

    def __init__(
        self,
        *,
        binding: StageBinding,
        stage: Stage[Any, Any],
        broker: Broker,
        blobs: Blobs,
        worker: str,
        metrics: WorkMetrics | None = None,
    ) -> None:
        self._binding = binding
        self._stage = stage
        self._broker = broker
        self._blobs = blobs
        self._worker = worker
        self._metrics = metrics or WorkMetrics(binding.slug)

    async def run(self, task: event.StageTask, work: Work, heartbeat: Callable[[], None]) -> None:
        """Runs the stage, stores its result and publishes its completion.

        Args:
            task: The unit.
            work: The work on it.
            heartbeat: Called at each heartbeat of the stage.

        Raises:
            StageError: The work failed; only progress was published.
        """
        async with self._reporting_start(task, work):
            last = await self._last_response(task, heartbeat)
        await failpoint("worker.after_run")
        folder = folders.of_job(task.job_id)
        result = getattr(last, last.WhichOneof("update"))
        output = await self._blobs.put_message(f"{folder}/{task.unit}", result)
        await failpoint("worker.after_commit")
        heartbeat()
        figures = ResultFigures()
        if isinstance(self._stage, MeasuresResults):
            figures = self._stage.figures(self._binding.request_of(task), last)
            self._metrics.result(figures)
        metrics = work.metrics()
        completed = event.UnitCompleted(
            output=output,
            facts=self._stage.facts(last),
            metrics=metrics,
            warning_reasons=sorted(set(figures.warnings)),
        )
        await self._publish(task, work, completed=completed)
        await failpoint("worker.after_publish")
        log.info("unit.completed", seconds=round(seconds(metrics.processing_duration), 3))

    async def fail(
        self, task: event.StageTask, work: Work, error: StageError, *, retryable: bool
    ) -> None:
        """Publishes that the unit failed."""
        failed = event.UnitFailed(
            failure=error.to_failure(task.unit), retryable=retryable, metrics=work.metrics()
        )
        await self._publish(task, work, failed=failed)

    @asynccontextmanager
    async def _reporting_start(self, task: event.StageTask, work: Work) -> AsyncIterator[None]:
        """Publishes the unit's start, unless the unit is very short."""

        async def report() -> None:
            await asyncio.sleep(START_SECONDS)
            # A lost start event does not matter: the end event implies the start.
            await self._publish(task, work, started=event.UnitStarted())

        async with background_tasks(report()) if task.report_start else nullcontext():
            yield

    async def _last_response(self, task: event.StageTask, heartbeat: Callable[[], None]) -> Any:
        context = StageContext(
            job_id=task.job_id,
            unit=task.unit,
            attempt=task.attempt,
            blobs=self._blobs,
            folder=folders.of_job(task.job_id),
            heartbeat=heartbeat,
        )
        last = None
        quiet_until = 0.0
        async with aclosing(self._stage.run(self._binding.request_of(task), context)) as responses:
            async for response in responses:
                heartbeat()
                update = response.WhichOneof("update")
                if update in self._binding.results:
                    last = response
                elif update != "progress":
                    await self._publish_progress(task, response)
                elif time.monotonic() >= quiet_until:
                    await self._publish_progress(task, response)
                    quiet_until = time.monotonic() + PROGRESS_SECONDS
        if last is None:
            raise StageError(
                Code.INTERNAL, Reason.STAGE_WITHOUT_RESULT, "The stage ended without a result."
            )
        return last

    def _event(self, task: event.StageTask, **what: Any) -> event.StageEvent:
        message = event.StageEvent(
            job_id=task.job_id, unit=task.unit, attempt=task.attempt, worker=self._worker, **what
        )
        message.event_time.GetCurrentTime()
        return message

    async def _publish(self, task: event.StageTask, work: Work, **what: Any) -> None:
        (kind,) = what
        await self._broker.publish(
            subjects.event(self._binding.slug, task.job_id),
            self._event(task, span_id=work.span_id, **what),
            message_id=f"{task.job_id}/{task.unit}/{task.attempt}/{kind}/{self._broker.token}",
            give_up_seconds=EVENT_GIVE_UP_SECONDS,
        )

    async def _publish_progress(self, task: event.StageTask, response: Message) -> None:
        progress = self._binding.progress_of(response)
        await self._broker.notify(
            subjects.progress(task.job_id), self._event(task, progress=progress)
        )
