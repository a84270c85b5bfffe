"""The loop around the conductor: events in, records and tasks out."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime

import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import APIError

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.changes import JobChanges
from maie_gateway.conductor import (
    Policy,
    Step,
    advance,
    dead_letters,
    pending_tasks,
    task_id,
)
from maie_gateway.store import JobStore, RevisionConflictError
from maie_runtime import subjects
from maie_runtime.broker import Broker
from maie_runtime.errors import StageError
from maie_runtime.pull import pull_groups

log = structlog.get_logger()

# Events of one job that wait together are taken into its record in one write.
GROUP_SIZE = 64
# An event takes milliseconds; one whose gateway died waits this long for another.
ACK_WAIT_SECONDS = 5.0
MAX_ACK_PENDING = 4096
BROKER_PAUSE_SECONDS = 1.0
NAK_SECONDS = 1.0


class Conductor:
    """Takes events into job records. Every gateway runs one; none is special.

    An event is acknowledged once the record that it led to is stored and the
    tasks that follow from it are published.
    """

    def __init__(
        self, broker: Broker, store: JobStore, changes: JobChanges, policy: Policy
    ) -> None:
        self._broker = broker
        self._store = store
        self._changes = changes
        self._policy = policy

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Conducts as long as the context lasts."""
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
        conducting = asyncio.create_task(self._conduct())
        try:
            yield
        finally:
            conducting.cancel()
            await asyncio.gather(conducting, return_exceptions=True)

    async def take(self, job_id: str, told: Iterable[event.StageEvent]) -> record.JobRecord:
        """Takes events into a job's record and publishes what follows.

        Returns:
            The record as it is afterwards.

        Raises:
            StageError: NOT_FOUND with JOB_NOT_FOUND, or UNAVAILABLE.
        """
        events = tuple(told)
        while True:
            stored = await self._store.get(job_id)
            step = self._advance(stored.record, events)
            if not step.changed:
                return stored.record
            with suppress(RevisionConflictError):
                await self._store.replace(stored, step.record)
                self._changes.note(step.record)
                await self.publish(step.tasks)
                await self._after(stored.record, step.record)
                return step.record

    async def publish(self, tasks: Iterable[event.StageTask]) -> None:
        """Hands tasks to the workers. A task that is there already is not doubled."""
        await asyncio.gather(*(self._publish_task(task) for task in tasks))

    async def _publish_task(self, task: event.StageTask) -> None:
        stage = task.WhichOneof("request") or ""
        await self._broker.publish(
            subjects.task(stage, task.job_id, task.unit), task, message_id=task_id(task)
        )

    def _advance(self, old: record.JobRecord, events: tuple[event.StageEvent, ...]) -> Step:
        tasks: list[event.StageTask] = []
        new, changed = old, False
        for told in events:
            step = advance(new, told, self._policy, datetime.now(UTC))
            new, changed = step.record, changed or step.changed
            tasks.extend(step.tasks)
        return Step(record=new, tasks=tuple(tasks), changed=changed)

    async def _after(self, old: record.JobRecord, new: record.JobRecord) -> None:
        """Keeps what was given up and tells workers to drop a cancelled job."""
        for letter in dead_letters(old, new):
            stage = letter.task.WhichOneof("request") or ""
            await self._broker.publish(
                subjects.dead_letter(stage, new.job_id), letter, message_id=task_id(letter.task)
            )
        if new.state == job.JOB_STATE_CANCELLED != old.state:
            await self._broker.tell(subjects.cancel(new.job_id))
            with suppress(NatsError, APIError):
                # What stays queued is dropped by the worker that pulls it.
                await self._broker.jetstream.purge_stream(
                    subjects.TASKS, subject=subjects.tasks_of_job(new.job_id)
                )

    async def _conduct(self) -> None:
        while True:
            pulled = pull_groups(
                self._broker.client, subjects.EVENTS, subjects.CONDUCTOR, size=GROUP_SIZE
            )
            try:
                async with aclosing(pulled) as groups:
                    async for group in groups:
                        await self._take_group(group)
            except (NatsError, APIError, OSError) as error:
                log.warning("conductor.pull_failed", error=str(error) or type(error).__name__)
                await asyncio.sleep(BROKER_PAUSE_SECONDS)

    async def _take_group(self, messages: list[Msg]) -> None:
        by_job: defaultdict[str, list[Msg]] = defaultdict(list)
        for message in messages:
            by_job[message.subject.rpartition(".")[2]].append(message)
        await asyncio.gather(*(self._take_job(*item) for item in by_job.items()))

    async def _take_job(self, job_id: str, messages: list[Msg]) -> None:
        try:
            stored = await self.take(job_id, _decode(messages))
            if any(message.metadata.num_delivered > 1 for message in messages):
                # Whoever had these events before may have died before publishing.
                await self.publish(pending_tasks(stored))
        except StageError as error:
            if error.reason != "JOB_NOT_FOUND":
                log.warning("conductor.failed", job=job_id, reason=error.reason)
                await asyncio.gather(*(message.nak(delay=NAK_SECONDS) for message in messages))
                return
        await asyncio.gather(*(message.ack() for message in messages))


def _decode(messages: list[Msg]) -> Iterable[event.StageEvent]:
    for message in messages:
        try:
            yield event.StageEvent.FromString(message.data)
        except DecodeError:
            log.error("conductor.unreadable_event", subject=message.subject)
