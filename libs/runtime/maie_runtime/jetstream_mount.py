"""A stage as a durable JetStream pull consumer."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from contextlib import suppress
from typing import Any

import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.client import JetStreamContext
from nats.js.errors import APIError, KeyNotFoundError

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2, record_pb2
from maie_runtime import subjects
from maie_runtime.bindings import StageBinding
from maie_runtime.broker import Broker
from maie_runtime.errors import OUTCOMES, Code, Settle, StageError
from maie_runtime.settings import ServiceSettings
from maie_runtime.unit import UnitRunner

log = structlog.get_logger()

# A pull dies with the server that holds it, so it is renewed this often.
FETCH_SECONDS = 5.0
BROKER_PAUSE_SECONDS = 1.0
# Three signs of life fit into the time after which a unit is handed on.
HEARTBEATS_PER_ACK_WAIT = 3
# Room for all workers of a stage, not for one.
MAX_ACK_PENDING = 4096
FINAL_STATES = (
    job_pb2.JOB_STATE_COMPLETE,
    job_pb2.JOB_STATE_FAILED,
    job_pb2.JOB_STATE_CANCELLED,
)


class JetStreamMount:
    """Pulls units of a stage, one for each slot, and settles them.

    A unit is acknowledged after the event that says how it ended is stored, so
    a worker that dies leaves its unit to the next one. Acknowledging is not
    fencing: only the conductor decides whether an event counts.
    """

    def __init__(
        self,
        *,
        binding: StageBinding,
        runner: UnitRunner,
        broker: Broker,
        settings: ServiceSettings,
    ) -> None:
        self._binding = binding
        self._runner = runner
        self._broker = broker
        self._settings = settings
        self._running: defaultdict[str, set[asyncio.Task[None]]] = defaultdict(set)
        self._slots: list[asyncio.Task[None]] = []
        self._fetching: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self._cancels: Any = None

    async def start(self) -> None:
        """Declares the consumer and pulls from now on."""
        name = subjects.worker_consumer(self._binding.slug)
        await self._broker.jetstream.add_consumer(
            subjects.TASKS,
            ConsumerConfig(
                durable_name=name,
                filter_subject=subjects.tasks_of_stage(self._binding.slug),
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=self._settings.ack_wait_seconds,
                # Deliveries are counted by the worker, which can say why it gives up.
                max_deliver=-1,
                max_ack_pending=MAX_ACK_PENDING,
            ),
        )
        self._cancels = await self._broker.client.subscribe(
            subjects.cancel("*"), cb=self._on_cancel
        )
        self._slots = [asyncio.create_task(self._slot(name)) for _ in range(self._settings.slots)]

    async def stop(self, grace: float) -> None:
        """Stops pulling, lets units in hand finish, and gives back the rest."""
        self._stopping = True
        for slot in tuple(self._fetching):
            slot.cancel()
        if self._slots:
            _, late = await asyncio.wait(self._slots, timeout=grace)
            for slot in late:
                slot.cancel()
            await asyncio.gather(*self._slots, return_exceptions=True)
        if self._cancels is not None:
            with suppress(NatsError):
                await self._cancels.unsubscribe()

    async def _slot(self, consumer: str) -> None:
        while not self._stopping:
            pull = await self._broker.jetstream.pull_subscribe_bind(
                consumer=consumer, stream=subjects.TASKS
            )
            try:
                await self._pull(pull)
            except (NatsError, APIError, OSError, StageError) as error:
                # The unit in hand, if any, comes back when its ack_wait is over.
                log.warning("worker.broker_failed", error=str(error) or type(error).__name__)
                await asyncio.sleep(BROKER_PAUSE_SECONDS)
            finally:
                # A cancelled fetch leaves its pull behind, which would swallow a unit.
                with suppress(NatsError, OSError):
                    await pull.unsubscribe()

    async def _pull(self, pull: JetStreamContext.PullSubscription) -> None:
        while not self._stopping:
            message = await self._fetch(pull)
            if message is not None:
                await self._handle(message)

    async def _fetch(self, pull: JetStreamContext.PullSubscription) -> Msg | None:
        slot = asyncio.current_task()
        assert slot is not None
        self._fetching.add(slot)
        try:
            (message,) = await pull.fetch(1, timeout=FETCH_SECONDS)
        except TimeoutError:
            return None
        else:
            return message
        finally:
            self._fetching.discard(slot)

    async def _handle(self, message: Msg) -> None:
        try:
            task = event.StageTask.FromString(message.data)
        except DecodeError:
            log.error("unit.unreadable", subject=message.subject)
            await message.term()
            return
        with structlog.contextvars.bound_contextvars(
            job=task.job_id, unit=task.unit, attempt=task.attempt
        ):
            delay = task.not_before.ToNanoseconds() / 1e9 - time.time()
            if delay > 0:
                await message.nak(delay=delay)
            elif not await self._wanted(task):
                log.info("unit.superseded")
                await message.ack()
            elif message.metadata.num_delivered > self._settings.max_deliveries:
                await self._give_up(task, message)
            else:
                await self._work(task, message)

    async def _wanted(self, task: event.StageTask) -> bool:
        """Whether the unit's result would still count."""
        try:
            entry = await self._broker.jobs.get(task.job_id)
        except KeyNotFoundError:
            return False
        record = record_pb2.JobRecord.FromString(entry.value or b"")
        if record.state in FINAL_STATES:
            return False
        for unit in record.units:
            if unit.unit == task.unit:
                return unit.attempt < task.attempt or (
                    unit.attempt == task.attempt and unit.state == job_pb2.UNIT_STATE_QUEUED
                )
        # The replica that answered may be behind the task.
        return True

    async def _give_up(self, task: event.StageTask, message: Msg) -> None:
        error = StageError(
            Code.ABORTED,
            "WORKER_LOST",
            f"The workers that took this unit died or fell silent "
            f"{self._settings.max_deliveries} times; look into their logs.",
        )
        await self._runner.fail(task, error, retryable=False)
        await message.term()

    async def _work(self, task: event.StageTask, message: Msg) -> None:
        """Runs the unit under heartbeats, cancellation and its hard deadline."""
        work = asyncio.create_task(self._run_and_settle(task, message))
        beat = asyncio.create_task(self._heartbeat(message))
        self._running[task.job_id].add(work)
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.wait({work})
            await message.nak()
            raise
        finally:
            beat.cancel()
            self._running[task.job_id].discard(work)
            if not self._running[task.job_id]:
                del self._running[task.job_id]
        if work.cancelled():
            # The job was cancelled; its record says so already.
            log.info("unit.cancelled")
            await message.ack()
        else:
            work.result()

    async def _run_and_settle(self, task: event.StageTask, message: Msg) -> None:
        try:
            async with asyncio.timeout(self._settings.unit_deadline_seconds):
                await self._runner.run(task)
        except Exception as raised:  # noqa: BLE001 - a unit must never take its worker down
            await self._settle_failure(task, message, _as_stage_error(raised))
        else:
            await message.ack()

    async def _settle_failure(self, task: event.StageTask, message: Msg, error: StageError) -> None:
        log.warning("unit.failed", reason=error.reason, error=error.message)
        settle = OUTCOMES[error.code].settle
        if settle is Settle.NAK:
            await message.nak()
            return
        await self._runner.fail(task, error, retryable=error.retryable)
        await (message.term() if settle is Settle.GIVE_UP else message.ack())

    async def _heartbeat(self, message: Msg) -> None:
        while True:
            await asyncio.sleep(self._settings.ack_wait_seconds / HEARTBEATS_PER_ACK_WAIT)
            with suppress(NatsError, OSError):
                await message.in_progress()

    async def _on_cancel(self, message: Msg) -> None:
        for work in self._running.get(message.subject.rpartition(".")[2], ()):
            work.cancel()


def _as_stage_error(raised: Exception) -> StageError:
    if isinstance(raised, StageError):
        return raised
    if isinstance(raised, TimeoutError):
        return StageError(
            Code.DEADLINE_EXCEEDED, "UNIT_DEADLINE", "The unit took longer than its deadline."
        )
    if isinstance(raised, MemoryError):
        return StageError(
            Code.RESOURCE_EXHAUSTED,
            "OUT_OF_MEMORY",
            "The worker ran out of memory; use shorter chunks or a larger worker.",
        )
    log.error("unit.unexpected_error", exc_info=raised)
    return StageError(
        Code.INTERNAL, "ENGINE_FAILED", "The engine failed; the worker's log has the details."
    )
