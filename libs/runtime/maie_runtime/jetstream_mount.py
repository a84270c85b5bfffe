"""A stage as durable JetStream pull consumers, one for each lane."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from maie.event.v1 import event_pb2 as event
from maie_pipeline.bindings import StageBinding
from maie_runtime import subjects
from maie_runtime.background import beside
from maie_runtime.broker import BROKER_ERRORS, Broker
from maie_runtime.direct_get import last_sequence
from maie_runtime.errors import OUTCOMES, BusyError, Settle, StageError
from maie_runtime.failures import as_stage_error, worker_lost
from maie_runtime.faults import fault
from maie_runtime.heartbeat import EngineHungError, UnitWatch, UnwantedError
from maie_runtime.lanes import LANES, LanePuller, WakeUps, declare_lanes
from maie_runtime.quarantine import ClosedError, Quarantine
from maie_runtime.residency import Residency
from maie_runtime.returns import Returns
from maie_runtime.settings import ServiceSettings
from maie_runtime.unit import UnitRunner
from maie_runtime.unreadable import Unreadable, dead_letter

log = structlog.get_logger()

FAILURES_OF_BROKER = (*BROKER_ERRORS, StageError)
BROKER_PAUSE_SECONDS = 1.0
# Most units are pulled at once, and need not be looked up to learn whether they are still wanted.
FRESH = timedelta(seconds=1)
LOOK_AGAIN_SECONDS = 0.25
# Cancelled jobs whose units may be on their way; far more than are cancelled within a second.
CANCELLED_JOBS = 256
# What was pulled together with a suspect is given back before the suspect may kill its worker.
SUSPECT_PAUSE_SECONDS = 0.5
# How long a unit that may not run beside a suspect is kept from all workers.
CLOSED_SECONDS = 1.0
# A unit that a stage refused for now is not offered again in the same breath.
NAK_SECONDS = 1.0
# A process that has to go tells what it still can, but does not wait for a broker.
LAST_WORDS_SECONDS = 5.0
HUNG_STATUS = 70


def end_process() -> None:
    """Ends a process whose engine cannot be stopped, at once."""
    os._exit(HUNG_STATUS)


class JetStreamMount:
    """Pulls units of a stage, one for each slot, and settles them.

    A unit is acknowledged after the event that says how it ended is stored, so
    a worker that dies leaves its unit to the next one. Acknowledging is not
    fencing: only the conductor decides whether an event counts.

    Args:
        binding: The stage's place in the contract.
        runner: Runs a unit and publishes what becomes of it.
        broker: Where units come from.
        settings: Slots and limits.
        residency: How the stage's model comes into memory.
        abandon: Ends the process, whose engine hangs and would keep its slot.
    """

    def __init__(
        self,
        *,
        binding: StageBinding,
        runner: UnitRunner,
        broker: Broker,
        settings: ServiceSettings,
        residency: Residency,
        abandon: Callable[[], None] = end_process,
    ) -> None:
        self._binding = binding
        self._runner = runner
        self._broker = broker
        self._settings = settings
        self._residency = residency
        self._scout: int | None = None
        self._abandon = abandon
        self._returns = Returns(broker)
        self._wake_ups = WakeUps(broker.client, binding.slug)
        self._quarantine = Quarantine()
        self._running: defaultdict[str, set[UnitWatch]] = defaultdict(set)
        self._slots: list[asyncio.Task[None]] = []
        self._pullers: set[LanePuller] = set()
        self._cancelled: deque[str] = deque(maxlen=CANCELLED_JOBS)
        self._stopping = False
        self._cancels: Any = None

    async def start(self) -> None:
        """Declares the consumers and pulls from now on."""
        await self._declare()
        self._cancels = await self._broker.client.subscribe(
            subjects.cancel("*"), cb=self._on_cancel
        )
        await self._wake_ups.start()
        self._residency.listen(self._wake_ups.wake)
        reserved = self._settings.interactive_slots
        self._slots = [
            asyncio.create_task(self._slot(number, LANES[:1] if number < reserved else LANES))
            for number in range(self._settings.slots)
        ]

    async def stop(self, grace: float) -> None:
        """Stops pulling, lets units in hand finish, and gives back the rest."""
        self._take_no_more()
        if self._slots:
            _, late = await asyncio.wait(self._slots, timeout=grace)
            for slot in late:
                slot.cancel()
            await asyncio.gather(*self._slots, return_exceptions=True)
        await self._wake_ups.stop()
        if self._cancels is not None:
            with suppress(NatsError, OSError):
                await self._cancels.unsubscribe()

    def _take_no_more(self) -> None:
        self._stopping = True
        for puller in tuple(self._pullers):
            puller.end()

    async def _declare(self) -> None:
        await declare_lanes(self._broker, self._binding.slug, self._settings.ack_wait_seconds)

    async def _slot(self, number: int, lanes: tuple[str, ...]) -> None:
        consumers = {lane: subjects.worker_consumer(self._binding.slug, lane) for lane in lanes}
        may_look = partial(self._may_look, number)
        async with LanePuller(
            self._broker.client, self._returns, self._wake_ups, consumers, may_look
        ) as puller:
            self._pullers.add(puller)
            while not self._stopping:
                try:
                    await self._returns.note_owed()
                    await self._quarantine.opened()
                    if message := await puller.take():
                        await self._handle(message)
                except FAILURES_OF_BROKER as error:
                    log.warning("worker.broker_failed", error=str(error) or type(error).__name__)
                    await self._mend(error)
                finally:
                    if self._scout == number:
                        self._scout = None

    def _may_look(self, slot: int) -> bool:
        """Whether a slot may take a unit.

        While a shared GPU is another's, one slot alone takes one unit, and waits with it for
        the turn: that there is work cannot be known otherwise, for JetStream does not tell units
        that come again from those in hand. All others leave theirs to other workers.
        """
        if self._residency.admits:
            return True
        if self._scout is None and slot >= self._settings.interactive_slots:
            self._scout = slot
        return self._scout == slot

    async def _mend(self, error: Exception) -> None:
        await asyncio.sleep(BROKER_PAUSE_SECONDS)
        if isinstance(error, APIError):
            # The consumers may be gone, as after a loss of the broker's disk.
            with suppress(*BROKER_ERRORS):
                await self._declare()

    async def _handle(self, message: Msg) -> None:
        task = self._read(message)
        if task is None:
            await self._give_up(message)
            return
        with structlog.contextvars.bound_contextvars(
            job=task.job_id, unit=task.unit, attempt=task.attempt
        ):
            try:
                await self._settle(task, message)
            except FAILURES_OF_BROKER:
                # It comes back when its ack_wait is over.
                self._returns.owe(message)
                raise

    def _read(self, message: Msg) -> event.StageTask | None:
        """The task; None where it is none of this stage and of the unit that its subject names."""
        try:
            task = event.StageTask.FromString(message.data)
        except DecodeError:
            return None
        is_ours = task.WhichOneof("request") == self._binding.slug
        return task if is_ours and (task.job_id, task.unit) == _named(message) else None

    async def _give_up(self, message: Msg) -> None:
        """Dead-letters what is no task. Where a unit waits for it, the reconciler sends it anew."""
        job_id, unit = _named(message)
        place = message.metadata.sequence.stream
        await dead_letter(
            self._broker,
            Unreadable(kind=self._binding.slug, job_id=job_id, unit=unit, place=place),
        )
        await message.term()

    async def _settle(self, task: event.StageTask, message: Msg) -> None:
        # A length and no time, since the gateway's clock may be another than this one.
        pause = task.pause.ToTimedelta().total_seconds()
        if self._stopping:
            await self._returns.give_back(message)
        elif pause and message.metadata.num_delivered == 1:
            await self._returns.give_back(message, pause)
        elif self._in_hand(task, message):
            # The broker was away, and heard no heartbeat.
            await self._returns.give_back(message, self._settings.ack_wait_seconds)
        elif not (self._is_fresh(message, task) or await self._wanted(message)):
            log.info("unit.superseded")
            await message.ack()
        elif (losses := await self._returns.losses(message)) >= self._settings.max_deliveries:
            await self._runner.fail(task, worker_lost(losses), retryable=False)
            await message.term()
        else:
            await self._work(task, message, suspect=losses > 0)

    def _in_hand(self, task: event.StageTask, message: Msg) -> bool:
        """Whether this worker has not settled an earlier delivery of the task yet."""
        place = message.metadata.sequence.stream
        return any(watch.place == place for watch in self._running.get(task.job_id, ()))

    def _is_fresh(self, message: Msg, task: event.StageTask) -> bool:
        """Whether a unit is so new that it need not be asked whether it is wanted.

        Where it is not wanted all the same, a heartbeat or the conductor finds out.
        """
        age = datetime.now(UTC) - message.metadata.timestamp
        return (
            message.metadata.num_delivered == 1
            and abs(age) < FRESH
            and task.job_id not in self._cancelled
        )

    async def _wanted(self, message: Msg) -> bool:
        """Whether a unit's result would still count: its task is the last of its subject."""
        if await self._newest(message) is None:
            # The server that answered may be a moment behind.
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        newest = await self._newest(message)
        return newest is not None and newest <= message.metadata.sequence.stream

    async def _newest(self, message: Msg) -> int | None:
        return await last_sequence(self._broker.client, subjects.TASKS, message.subject)

    async def _work(self, task: event.StageTask, message: Msg, *, suspect: bool) -> None:
        """Runs the unit and settles its message."""
        watch = UnitWatch(message, self._settings, lambda: self._wanted(message))
        self._running[task.job_id].add(watch)
        try:
            async with beside(watch.send_heartbeats()):
                await self._see_through(task, watch, suspect=suspect)
        finally:
            self._running[task.job_id].discard(watch)
            if not self._running[task.job_id]:
                del self._running[task.job_id]

    async def _see_through(self, task: event.StageTask, watch: UnitWatch, *, suspect: bool) -> None:
        message = watch.message
        try:
            await watch.see_through(self._run(task, watch, suspect=suspect))
        except asyncio.CancelledError:
            await self._returns.give_back(message)
            raise
        except ClosedError:
            await self._returns.give_back(message, CLOSED_SECONDS)
        except BusyError as busy:
            await self._returns.give_back(message, busy.pause_seconds)
        except EngineHungError as hung:
            await self._leave(task, watch, hung.cause)
        except Exception as raised:  # noqa: BLE001 - a unit must never take its worker down
            await self._settle_failure(task, message, raised)
        else:
            await message.ack()
            await fault("worker.after_ack")

    async def _run(self, task: event.StageTask, watch: UnitWatch, *, suspect: bool) -> None:
        """Runs the unit, alone where an earlier worker died with it in hand."""
        async with self._quarantine.place(suspect=suspect):
            if suspect:
                await asyncio.sleep(SUSPECT_PAUSE_SECONDS)
            async with self._residency.use():
                watch.begin()
                await self._runner.run(task, watch.alive)

    async def _settle_failure(
        self, task: event.StageTask, message: Msg, raised: Exception | None
    ) -> None:
        if raised is None:
            await self._returns.give_back(message)
        elif isinstance(raised, UnwantedError):
            log.info("unit.stopped")
            await message.ack()
        else:
            await self._settle_error(task, message, as_stage_error(raised))

    async def _settle_error(self, task: event.StageTask, message: Msg, error: StageError) -> None:
        log.warning("unit.failed", reason=error.reason, error=error.message)
        settle = OUTCOMES[error.code].settle
        if settle is Settle.NAK:
            # Not noted as given back: a stage that refuses for ever is given up like a lost one.
            await message.nak(delay=NAK_SECONDS)
            return
        await self._runner.fail(task, error, retryable=error.retryable)
        await (message.term() if settle is Settle.GIVE_UP else message.ack())

    async def _leave(self, task: event.StageTask, hung: UnitWatch, cause: Exception | None) -> None:
        """Gives everything to other workers and ends the process: the engine hangs."""
        log.critical("worker.engine_hung", cause=str(cause), status=HUNG_STATUS)
        self._take_no_more()
        try:
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                await self._settle_failure(task, hung.message, cause)
                for watches in self._running.values():
                    for watch in watches - {hung}:
                        await self._returns.give_back(watch.message)
                await self._broker.client.flush()
        except FAILURES_OF_BROKER as error:
            log.warning("worker.broker_failed", error=str(error) or type(error).__name__)
        finally:
            self._abandon()

    async def _on_cancel(self, message: Msg) -> None:
        job_id = message.subject.rpartition(".")[2]
        self._cancelled.append(job_id)
        for watch in tuple(self._running.get(job_id, ())):
            watch.stop(UnwantedError())


def _named(message: Msg) -> tuple[str, str]:
    """The job and the unit that a task's subject names; see `subjects.task`."""
    _, _, _, _, job_id, *unit = message.subject.split(".")
    return job_id, ".".join(unit)
