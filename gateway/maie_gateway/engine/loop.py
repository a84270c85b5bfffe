"""The loop around the conductor: events in, records and tasks out."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog
from google.protobuf.message import DecodeError
from opentelemetry import trace

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.attributes import JOB, STATE, TENANT
from maie_core.errors import StageError
from maie_core.spans import span
from maie_core.trace_context import current_traceparent
from maie_gateway.conductor import (
    Policy,
    Step,
    advance,
    binding,
    dead_letters,
    has_given_up_optional,
    lane,
    may_publish,
    pending_tasks,
    task_id,
)
from maie_gateway.engine.job_metrics import JobMetrics
from maie_gateway.records.about import about, about_known
from maie_gateway.records.changes import JobChanges
from maie_gateway.records.journal import StoredRecord
from maie_gateway.records.store import GONE, JobStore, RevisionConflictError
from maie_runtime.background import background_tasks
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker, broker_unavailable
from maie_runtime.bus.erasing import erase_all
from maie_runtime.bus.pull import pull_groups
from maie_runtime.bus.tracing import links_to, processing
from maie_runtime.bus.types import AckPolicy, ConsumerConfig, Msg
from maie_runtime.bus.unreadable import Unreadable, dead_letter
from maie_runtime.failpoints import failpoint

log = structlog.get_logger()

# Events of one job that wait together are taken into its record in one write.
GROUP_SIZE = 64
# An event takes milliseconds; one whose gateway died waits this long for another.
ACK_WAIT_SECONDS = 5.0
MAX_ACK_PENDING = 4096
BROKER_PAUSE_SECONDS = 1.0
NAK_SECONDS = 1.0


@dataclass(kw_only=True, frozen=True, slots=True)
class _Published:
    """An event, as it came.

    Attributes:
        event: The event.
        stage: The stage in whose subject a worker published it; None from a gateway.
        place: Its sequence in its stream; 0 from a gateway.
    """

    event: event.StageEvent
    stage: str | None = None
    place: int = 0


Window = Callable[[], Mapping[common.Stage, int]]
Follow = Callable[[record.JobRecord | None, record.JobRecord], Awaitable[None]]


Complete = Callable[[record.JobRecord, event.StageTask], Awaitable[None]]


async def leave_as_it_is(_: record.JobRecord, __: event.StageTask) -> None:
    """Leaves a task unchanged."""


async def follow_nothing(_: record.JobRecord | None, __: record.JobRecord) -> None:
    """Does nothing after a change."""


class Conductor:
    """Applies events to job records. Every gateway runs one; all are equal.

    An event is acknowledged once the changed record is stored and its tasks
    and dead letters are published.

    Args:
        broker: The broker.
        store: The job records.
        changes: Notified of each record that is written.
        policy: The limits.
        window: Returns how many units of a job may be queued now, by stage.
        follow: Called with the record before and after a stored change. It must
            be idempotent: the same change may come again, with None as the
            record before.
        complete: Adds to a task what the record lacks. If it raises an error
            that is not retryable, the unit fails with it.
        metrics: Counts jobs.
    """

    def __init__(
        self,
        broker: Broker,
        store: JobStore,
        changes: JobChanges,
        policy: Policy,
        *,
        window: Window = dict,
        follow: Follow = follow_nothing,
        complete: Complete = leave_as_it_is,
        metrics: JobMetrics | None = None,
    ) -> None:
        self._broker = broker
        self._store = store
        self._changes = changes
        self._policy = policy
        self._window = window
        self._follow = follow
        self._complete = complete
        self._metrics = metrics or JobMetrics()

    @property
    def policy(self) -> Policy:
        """The limits, with the current window."""
        return replace(self._policy, window=self._window())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Handles events as long as the context lasts."""
        await self._declare_consumer()
        async with background_tasks(self._conduct()):
            yield

    async def _declare_consumer(self) -> None:
        await self._broker.jetstream.add_consumer(
            subjects.EVENTS,
            ConsumerConfig(
                durable_name=subjects.CONDUCTOR,
                filter_subject=subjects.event("*", "*"),
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=ACK_WAIT_SECONDS,
                max_deliver=-1,
                max_ack_pending=MAX_ACK_PENDING,
            ),
        )

    async def begin(self, step: Step) -> None:
        """Stores a new job and publishes its first task, if it has one.

        The job counts as active from the call on. When this returns, it is stored
        durably.

        Raises:
            StageError: UNAVAILABLE; the job does not exist, unless the connection
                failed after the broker stored it.
        """
        with about(step.record):
            with self._changes.expected(step.record):
                stored = await self._store.create(step.record)
            self._changes.note(stored)
            self._metrics.began(step.record)
            try:
                await self.publish(step.record, step.tasks)
            except StageError as error:
                # The reconciler publishes the task when the broker is back.
                log.warning("job.begin_failed", reason=error.reason)

    @contextmanager
    def changing(self, source: record.JobRecord, name: str) -> Iterator[None]:
        """A span around what a caller does to a job: in the job's trace, following the call."""
        call = current_traceparent()
        with about(source):
            attributes = {JOB: source.job_id, TENANT: source.tenant}
            with span(self._broker.tracer, name, attributes, links=links_to([call])):
                yield

    async def take(self, job_id: str, stage_events: Iterable[event.StageEvent]) -> record.JobRecord:
        """Applies events to a job's record and publishes the new tasks.

        Returns:
            The record afterwards.

        Raises:
            StageError: NOT_FOUND with JOB_NOT_FOUND, or UNAVAILABLE.
        """
        return await self._take(job_id, [_Published(event=each) for each in stage_events])

    async def _take_published(self, job_id: str, events: Sequence[_Published]) -> record.JobRecord:
        """Applies events from stages, and drops those that their stage may not publish."""
        taken = await self._take(job_id, events)
        if (state := job.JobState.DESCRIPTOR.values_by_number.get(taken.state)) is not None:
            trace.get_current_span().set_attribute(STATE, state.name)
        for each in events:
            if _is_foreign(each, taken):
                with about(taken):
                    _warn_of_foreign_event(each)
                self._metrics.foreign(each.stage or "")
                await self._dead_letter(job_id, each.place)
        return taken

    async def _take(self, job_id: str, events: Sequence[_Published]) -> record.JobRecord:
        stored, is_current = self._changes.recent(job_id), False
        while True:
            if stored is None:
                stored, is_current = await self._store.get(job_id), True
            with about(stored.record):
                step = self._advance(stored.record, events)
                if step.changed:
                    with suppress(RevisionConflictError):
                        return await self._apply(stored, step)
                elif is_current:
                    return await self._nothing_changed(stored)
            # The cached record may be stale, so read the stored one.
            stored = None

    async def _apply(self, old: StoredRecord, step: Step) -> record.JobRecord:
        self._changes.note(await self._store.replace(old, step.record))
        self._metrics.changed(old.record, step.record)
        await failpoint("conductor.after_store")
        await self.publish(step.record, step.tasks)
        await failpoint("conductor.after_publish")
        await self._after(old.record, step.record)
        return step.record

    async def _nothing_changed(self, stored: StoredRecord) -> record.JobRecord:
        self._changes.note(stored)
        # The gateway that cancelled the job may have died before its tasks were purged, and another
        # gateway may have published one since.
        await self._stop_work(stored.record)
        return stored.record

    async def publish(
        self, source: record.JobRecord, tasks: Iterable[event.StageTask], again: str = ""
    ) -> None:
        """Publishes tasks of a job.

        Args:
            source: The job's record, which names the lane.
            tasks: The tasks. The broker drops one whose id it received a short
                while ago, even where that task was lost since.
            again: Makes the task ids new, so that lost tasks are published again.
        """
        suffix = f"/again-{again}" if again else ""
        with about(source):
            failures = await asyncio.gather(
                *(self._publish_task(source, task, suffix) for task in tasks)
            )
        if failed := [failure for failure in failures if failure is not None]:
            await self.take(source.job_id, failed)

    async def _publish_task(
        self, source: record.JobRecord, task: event.StageTask, suffix: str
    ) -> event.StageEvent | None:
        """Publishes a task; returns the failure of a unit whose task cannot be made."""
        try:
            await self._complete(source, task)
        except StageError as error:
            if error.retryable:
                raise
            log.warning("task.incomplete", unit=task.unit, reason=error.reason)
            return _failed(task, error)
        subject = subjects.task(binding(task).slug, task.job_id, task.unit, lane(source))
        await self._broker.publish(subject, task, message_id=task_id(task) + suffix)
        return None

    def _advance(self, old: record.JobRecord, events: Sequence[_Published]) -> Step:
        tasks: list[event.StageTask] = []
        new, changed, policy = old, False, self.policy
        for each in events:
            if _is_foreign(each, new):
                continue
            step = advance(new, each.event, policy, datetime.now(UTC))
            new, changed = step.record, changed or step.changed
            tasks.extend(step.tasks)
        return Step(record=new, tasks=tuple(tasks), changed=changed)

    async def _after(self, old: record.JobRecord | None, new: record.JobRecord) -> None:
        """Publishes dead letters, stops a cancelled job, and calls `follow`."""
        if old is None or new.state != old.state:
            await self._stop_work(new)
        for letter in dead_letters(old, new):
            stage = binding(letter.task).slug
            await self._broker.publish(
                subjects.dead_letter(stage, new.job_id),
                letter,
                message_id=task_id(letter.task),
                contested=True,
            )
        await self._follow(old, new)

    async def _stop_work(self, of: record.JobRecord) -> None:
        """Removes the tasks of a job that ended without them and notifies its workers.

        That is a cancelled job, or one that ended without optional units.

        If another gateway retries the job at this moment, this may remove a task
        of the next attempt; the reconciler publishes it again.

        Raises:
            StageError: UNAVAILABLE with BROKER_UNAVAILABLE: its tasks may still be queued.
        """
        if of.state == job.JOB_STATE_CANCELLED or has_given_up_optional(of):
            # First: notified workers check whether their task still exists.
            try:
                await erase_all(self._broker, subjects.TASKS, subjects.tasks_of_job(of.job_id))
            except BROKER_ERRORS as error:
                raise broker_unavailable(error) from error
            await self._broker.notify(subjects.cancel(of.job_id))

    async def _conduct(self) -> None:
        while True:
            pulled = pull_groups(
                self._broker.client, subjects.EVENTS, subjects.CONDUCTOR, size=GROUP_SIZE
            )
            try:
                async with aclosing(pulled) as groups:
                    async for group in groups:
                        await self._take_group(group)
            except BROKER_ERRORS as error:
                log.warning("conductor.pull_failed", error=str(error) or type(error).__name__)
                await asyncio.sleep(BROKER_PAUSE_SECONDS)
                with suppress(*BROKER_ERRORS):  # the stream may have been deleted
                    await self._declare_consumer()

    async def _take_group(self, messages: list[Msg]) -> None:
        by_job: defaultdict[str, list[Msg]] = defaultdict(list)
        for message in messages:
            by_job[message.subject.rpartition(".")[2]].append(message)
        await asyncio.gather(*(self._take_job(*item) for item in by_job.items()))

    async def _take_job(self, job_id: str, messages: list[Msg]) -> None:
        handling = processing(self._broker.tracer, messages)
        with handling, about_known(self._changes, job_id):
            await self._settle_job(job_id, messages)

    async def _settle_job(self, job_id: str, messages: list[Msg]) -> None:
        try:
            stored = await self._take_published(job_id, await self._decode(job_id, messages))
            if any(message.metadata.num_delivered > 1 for message in messages):
                # A gateway may have died between storing these events and publishing.
                await self.publish(stored, pending_tasks(stored))
                await self._after(None, stored)
        except StageError as error:
            if error.reason not in GONE:
                log.warning("conductor.failed", reason=error.reason)
                await asyncio.gather(*(message.nak(delay=NAK_SECONDS) for message in messages))
                return
        except Exception as error:
            log.error("conductor.event_failed", exc_info=error)
            if len(messages) > 1:
                for message in messages:
                    await self._settle_job(job_id, [message])
                return
            await self._give_up(job_id, messages[0])
        await asyncio.gather(*(message.ack() for message in messages))

    async def _decode(self, job_id: str, messages: list[Msg]) -> list[_Published]:
        """The events that can be decoded and whose job is the one in their subject."""
        events = []
        for message in messages:
            try:
                data = await self._broker.opened(job_id, message.data)
                stage_event = event.StageEvent.FromString(data)
            except DecodeError:
                stage_event = event.StageEvent()
            if stage_event.job_id == job_id:
                stage = subjects.stage_of_event(message.subject)
                place = message.metadata.sequence.stream
                events.append(_Published(event=stage_event, stage=stage, place=place))
            else:
                await self._give_up(job_id, message)
        return events

    async def _give_up(self, job_id: str, message: Msg) -> None:
        await self._dead_letter(job_id, message.metadata.sequence.stream)

    async def _dead_letter(self, job_id: str, place: int) -> None:
        await dead_letter(self._broker, Unreadable(kind="event", job_id=job_id, place=place))


def _is_foreign(published: _Published, source: record.JobRecord) -> bool:
    stage = published.stage
    return stage is not None and not may_publish(stage, published.event, source)


def _warn_of_foreign_event(published: _Published) -> None:
    log.warning(
        "conductor.foreign_event",
        unit=published.event.unit,
        kind=published.event.WhichOneof("event"),
        stage=published.stage,
        worker=published.event.worker,
    )


def _failed(task: event.StageTask, error: StageError) -> event.StageEvent:
    return event.StageEvent(
        job_id=task.job_id,
        unit=task.unit,
        attempt=task.attempt,
        failed=event.UnitFailed(failure=error.to_failure(task.unit)),
    )
