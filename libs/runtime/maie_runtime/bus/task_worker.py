"""A stage as durable JetStream pull consumers, one for each lane."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from opentelemetry.trace import NoOpTracer, Span, Tracer

from maie.event.v1 import event_pb2 as event
from maie_core.attributes import OUTCOME, SUSPECT
from maie_core.durations import seconds
from maie_core.errors import OUTCOMES, BusyError, Settle, StageError
from maie_core.failures import as_stage_error, worker_lost
from maie_core.reasons import Reason
from maie_core.recent_count import RecentCount
from maie_core.settings import ServiceSettings
from maie_core.spans import CANCELLED, COMPLETED, GIVEN_BACK, note_error
from maie_core.trace_context import within
from maie_pipeline.bindings import StageBinding
from maie_runtime.background import background_tasks, end
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker
from maie_runtime.bus.claim import Claim
from maie_runtime.bus.outages import until_answered
from maie_runtime.bus.redelivery_ledger import RedeliveryLedger
from maie_runtime.bus.task_message import give_up_unreadable, named, read_task
from maie_runtime.bus.task_puller import TaskNotifier, TaskPuller
from maie_runtime.bus.tracing import attempt_span, span_id_of
from maie_runtime.bus.worker_vault import WorkerVault
from maie_runtime.failpoints import failpoint
from maie_runtime.worker.engine_calls import EngineCalls
from maie_runtime.worker.host import Host
from maie_runtime.worker.metrics import WorkMetrics
from maie_runtime.worker.quarantine import ClosedError
from maie_runtime.worker.unit import UnitRunner
from maie_runtime.worker.work import EngineHungError, TaskAbsentError, UnwantedError, Work

log = structlog.get_logger()

T = TypeVar("T")

FAILURES_OF_BROKER = (*BROKER_ERRORS, StageError)
BROKER_PAUSE_SECONDS = 1.0
# How long a unit that must wait for a suspect to end is not redelivered.
CLOSED_SECONDS = 1.0
# How long a unit that a stage refused for now is not redelivered.
NAK_SECONDS = 1.0
# How long a task that a server lacked is not redelivered, while that server may be behind.
ABSENT_SECONDS = 2.0
# How long a unit whose job's key cannot be had is not redelivered.
SEALED_SECONDS = 2.0


class TaskWorker:
    """Pulls units of a stage, one for each slot, and settles them.

    A unit is acknowledged after the event about its end is stored, so the unit
    of a worker that dies is redelivered. Acknowledging is not fencing: only the
    conductor decides whether an event counts.

    Args:
        binding: The stage's place in the contract.
        runner: Runs a unit and publishes its events.
        broker: The broker.
        settings: Slots and limits.
        host: Runs units within slots and limits.
        metrics: Counts deliveries.
        tracer: Makes a span of each delivery of a task.
        vault: Has the keys of jobs whose tasks are sealed.
    """

    def __init__(
        self,
        *,
        binding: StageBinding,
        runner: UnitRunner,
        broker: Broker,
        settings: ServiceSettings,
        host: Host,
        vault: WorkerVault,
        metrics: WorkMetrics | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._tracer = tracer or NoOpTracer()
        self._vault = vault
        self._binding = binding
        self._runner = runner
        self._broker = broker
        self._settings = settings
        self.host = host
        self._metrics = metrics or WorkMetrics(binding.slug)
        self.faults = RecentCount()
        self._ledger = RedeliveryLedger(broker)
        self._notifier = TaskNotifier(broker.client, binding.slug)
        self._places: set[int] = set()
        self._slots: list[asyncio.Task[None]] = []
        self._recording: asyncio.Task[None] | None = None
        self._pullers: set[TaskPuller] = set()
        self._stopping = False
        self._cancels: Any = None

    async def start(self) -> None:
        """Starts pulling."""
        self._cancels = await self._broker.client.subscribe(
            subjects.cancel("*"), cb=self._on_cancel
        )
        await self._notifier.start()
        self.host.residency.listen(self._notifier.notify)
        self.host.on_leave(self._take_no_more)
        self._recording = asyncio.create_task(self._ledger.keep_recording())
        reserved = self._settings.interactive_slots
        self._slots = [
            asyncio.create_task(
                self._slot(number, subjects.LANES[:1] if number < reserved else subjects.LANES)
            )
            for number in range(self._settings.slots)
        ]

    async def stop(self, grace: float) -> None:
        """Stops pulling, lets running units finish within the grace, and returns the rest."""
        self._take_no_more()
        if self._slots:
            _, late = await asyncio.wait(self._slots, timeout=grace)
            await end(*late)
            await asyncio.gather(*self._slots, return_exceptions=True)
        if self._recording is not None:
            await end(self._recording)
            with suppress(StageError):
                await self._ledger.record_owed()
        await self._notifier.stop()
        await self._vault.stop()
        if self._cancels is not None:
            with suppress(NatsError, OSError):
                await self._cancels.unsubscribe()

    def _take_no_more(self) -> None:
        self._stopping = True
        for puller in tuple(self._pullers):
            puller.end()

    async def _slot(self, number: int, lanes: tuple[str, ...]) -> None:
        consumers = {lane: subjects.worker_consumer(self._binding.slug, lane) for lane in lanes}
        may_look = partial(self.host.may_take, number)
        async with TaskPuller(
            self._broker.client,
            self._ledger,
            self._notifier,
            consumers,
            self.host.slots,
            may_look,
        ) as puller:
            self._pullers.add(puller)
            while not self._stopping:
                try:
                    if self._ledger.owes:
                        # Else this worker could count its own deliveries as losses.
                        await asyncio.sleep(BROKER_PAUSE_SECONDS)
                        continue
                    await self.host.quarantine.opened()
                    if message := await puller.take():
                        try:
                            await self._handle(message)
                        finally:
                            self.host.slots.release()
                except FAILURES_OF_BROKER as error:
                    # The consumers may be gone, too: gateways create them again.
                    log.warning("worker.broker_failed", error=str(error) or type(error).__name__)
                    await asyncio.sleep(BROKER_PAUSE_SECONDS)
                finally:
                    self.host.took(number)

    async def _handle(self, message: Msg) -> None:
        job_id, _ = named(message)
        with self._vault.holding(job_id):
            try:
                task = read_task(
                    self._binding, message, await self._broker.opened(job_id, message.data)
                )
            except DecodeError:
                task = None
            except StageError as error:
                await self._leave_sealed(message, error)
                return
            if task is None:
                await give_up_unreadable(self._broker, self._binding, message)
                return
            await self._take(task, message)

    async def _leave_sealed(self, message: Msg, error: StageError) -> None:
        """Settles a task whose job's key was not given."""
        if error.reason == Reason.DATA_KEY_GONE:
            log.info("unit.superseded")
            await message.ack()
        else:
            log.warning("unit.not_opened", reason=error.reason, error=error.message)
            await self._ledger.give_back(message, SEALED_SECONDS)

    async def _take(self, task: event.StageTask, message: Msg) -> None:
        tenant = {"tenant": task.tenant} if task.tenant else {}
        ids = structlog.contextvars.bound_contextvars(
            job=task.job_id, unit=task.unit, attempt=task.attempt, **tenant
        )
        with ids, within(task.traceparent):
            try:
                await self._settle(task, message)
            except FAILURES_OF_BROKER:
                # It is redelivered when its ack_wait is over.
                self._ledger.owe(message)
                raise

    async def _settle(self, task: event.StageTask, message: Msg) -> None:
        # A length and not a time, since the gateway's clock may differ from this one.
        pause = seconds(task.pause)
        ack_wait = self._settings.mesh.ack_wait_seconds
        claim = Claim(self._broker.client, message, self._ledger, ack_wait)
        if self._stopping:
            await self._ledger.give_back(message)
        elif pause and message.metadata.num_delivered == 1:
            await self._ledger.give_back(message, pause)
        elif claim.place in self._places:
            # It is running here already: the broker was unreachable and got no heartbeat.
            await self._ledger.give_back(message, ack_wait)
        else:
            self._places.add(claim.place)
            try:
                # The task stays here also while the broker does not say what is to be done with
                # it: else each worker in turn would take it, and each delivery count as a loss.
                async with background_tasks(claim.keep()):
                    await self._decide(task, message, claim)
            finally:
                self._places.discard(claim.place)

    async def _decide(self, task: event.StageTask, message: Msg, claim: Claim) -> None:
        """Runs a unit, unless it is not wanted or its workers were lost too often."""
        if unwanted := await self._answered(partial(self._unwanted, task, claim)):
            log.info("unit.superseded")
            await self._leave_unwanted(message, unwanted)
            return
        losses = await self._count_losses(message)
        if losses < self._settings.max_deliveries:
            await self._work(task, message, claim, suspect=losses > 0)
        else:
            await self._give_up_lost(task, message)

    async def _answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What the broker answers, however late, unless the worker stops before."""
        return await until_answered(ask, lambda: self._stopping)

    async def _unwanted(self, task: event.StageTask, claim: Claim) -> UnwantedError | None:
        """Why a task is not wanted any more; None where it is."""
        if claim.is_fresh and not self.host.was_cancelled(task.job_id):
            return None
        try:
            await claim.check()
        except UnwantedError as error:
            return error
        return None

    async def _leave_unwanted(self, message: Msg, error: UnwantedError) -> None:
        """Settles a task that is not wanted."""
        if isinstance(error, TaskAbsentError):
            # Where it was removed, it is not delivered again.
            await self._ledger.give_back(message, ABSENT_SECONDS)
        else:
            await message.ack()

    async def _give_up_lost(self, task: event.StageTask, message: Msg) -> None:
        """Fails a unit whose workers were lost too often; returns it where some of them live.

        A worker that lives may still have to record a delivery, since the broker stored nothing or
        could not be reached. It does so within an ack_wait of the time when this one can.
        """
        await self._ledger.record(message)
        await asyncio.sleep(self._settings.mesh.ack_wait_seconds)
        losses = await self._answered(partial(self._ledger.losses, message))
        if losses < self._settings.max_deliveries:
            await message.nak()
            return
        work, error = self._begun(task, message), worker_lost(losses)
        with attempt_span(self._tracer, task, message) as attempt:
            note_error(attempt, error)
            work.span_id = span_id_of(attempt)
            await self._runner.fail(task, work, error, retryable=False)
        await message.term()

    async def _count_losses(self, message: Msg) -> int:
        """How often the task's workers were lost; counts this delivery."""
        losses = await self._answered(partial(self._ledger.losses, message))
        lane = subjects.lane_of_task(message.subject)
        if message.metadata.num_delivered > 1:
            self._metrics.redelivered(lane, lost=losses > 0)
        else:
            waited = datetime.now(UTC) - message.metadata.timestamp
            self._metrics.taken(lane, waited=waited.total_seconds())
        return losses

    async def _work(
        self, task: event.StageTask, message: Msg, claim: Claim, *, suspect: bool
    ) -> None:
        """Runs the unit and settles its message."""
        work = self._begun(task, message, suspect=suspect)
        with (
            self.host.holding(work),
            attempt_span(self._tracer, task, message) as attempt,
        ):
            attempt.set_attribute(SUSPECT, suspect)
            work.span_id = span_id_of(attempt)
            async with background_tasks(claim.watch(work)):
                await self._see_through(task, message, work, attempt)

    def _begun(self, task: event.StageTask, message: Msg, *, suspect: bool = False) -> Work:
        work = Work(
            job_id=task.job_id,
            unit=task.unit,
            attempt=task.attempt,
            tenant=task.tenant,
            suspect=suspect,
            deliveries=message.metadata.num_delivered,
            engine_calls=EngineCalls(self._tracer),
        )
        work.leave = partial(self._hand_on, task, message, work)
        return work

    async def _see_through(
        self, task: event.StageTask, message: Msg, work: Work, attempt: Span
    ) -> None:
        try:
            await self.host.run(work, partial(self._runner.run, task, work))
        except asyncio.CancelledError:
            await self._ledger.give_back(message)
            raise
        except ClosedError:
            attempt.set_attribute(OUTCOME, GIVEN_BACK)
            await self._ledger.give_back(message, CLOSED_SECONDS)
        except BusyError as busy:
            attempt.set_attribute(OUTCOME, GIVEN_BACK)
            await self._ledger.give_back(message, busy.pause_seconds)
        except EngineHungError as hung:
            # The unit was returned, and the process ends.
            note_error(attempt, hung)
        except UnwantedError as unwanted:
            attempt.set_attribute(OUTCOME, CANCELLED)
            log.info("unit.stopped")
            await self._leave_unwanted(message, unwanted)
        except Exception as raised:  # noqa: BLE001 - a unit must never take its worker down
            note_error(attempt, raised)
            await self._settle_failure(task, message, work, raised)
        else:
            attempt.set_attribute(OUTCOME, COMPLETED)
            await message.ack()
            await failpoint("worker.after_ack")

    async def _settle_failure(
        self, task: event.StageTask, message: Msg, work: Work, raised: Exception | None
    ) -> None:
        if raised is None:
            await self._ledger.give_back(message)
        elif isinstance(raised, UnwantedError):
            log.info("unit.stopped")
            await self._leave_unwanted(message, raised)
        else:
            await self._settle_error(task, message, work, as_stage_error(raised))

    async def _settle_error(
        self, task: event.StageTask, message: Msg, work: Work, error: StageError
    ) -> None:
        log.warning("unit.failed", reason=error.reason, error=error.message)
        self.faults.note()
        settle = OUTCOMES[error.code].settle
        if settle is Settle.NAK:
            # Not recorded as returned, so that a unit that is always refused is given up at last.
            await message.nak(delay=NAK_SECONDS)
            return
        await self._runner.fail(task, work, error, retryable=error.retryable)
        await (message.term() if settle is Settle.GIVE_UP else message.ack())

    async def _hand_on(
        self, task: event.StageTask, message: Msg, work: Work, cause: Exception | None
    ) -> None:
        """Returns a unit, or publishes why it was stopped, before the process ends."""
        try:
            await self._settle_failure(task, message, work, cause)
            await self._broker.client.flush()
        except FAILURES_OF_BROKER as error:
            log.warning("worker.broker_failed", error=str(error) or type(error).__name__)

    async def _on_cancel(self, message: Msg) -> None:
        self.host.cancel(message.subject.rpartition(".")[2])
