"""Distinguishes tasks that a worker returned (NAK) from tasks whose worker was lost.

JetStream counts both as deliveries. So a worker records each delivery that it
returns before it does so, and records a delivery that may have ended without it as
soon as the broker stores messages again: the broker failed, or answered no heartbeats.
A delivery without a record was lost: its worker died or sent no heartbeats.
"""

from __future__ import annotations

import asyncio

import structlog
from google.protobuf.empty_pb2 import Empty
from nats.aio.msg import Msg

from maie_core.errors import StageError
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.stored_subjects import matching_subjects

log = structlog.get_logger()

# A worker that drains has little time, and returns its task even if this fails.
GIVE_UP_SECONDS = 2.0
# How long to wait before the broker is asked again to store a record.
PAUSE_SECONDS = 1.0


class RedeliveryLedger:
    """Returns tasks to the queue, and counts the deliveries that were lost.

    Args:
        broker: The broker.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._owed: set[str] = set()
        self._owing = asyncio.Event()

    @property
    def owes(self) -> bool:
        """Whether a delivery is still to be recorded."""
        return bool(self._owed)

    async def give_back(self, message: Msg, delay: float | None = None) -> None:
        """Returns a task to the queue, so that this delivery does not count as a loss.

        Args:
            message: The task's message, not settled yet.
            delay: Redeliver it after this many seconds; None: at once.
        """
        try:
            await self.record(message)
        except StageError as error:
            log.warning("unit.return_not_recorded", error=error.message)
            self.owe(message)
        await message.nak(delay=delay)

    async def record(self, message: Msg) -> None:
        """Records a delivery, so that its end does not count as a loss.

        Args:
            message: The task's message.

        Raises:
            StageError: UNAVAILABLE: the broker stores nothing.
        """
        await self._record(_of_message(message))

    def owe(self, message: Msg) -> None:
        """Remembers to record a delivery that may have ended although this worker was not lost."""
        self._owed.add(_of_message(message))
        self._owing.set()

    async def record_owed(self) -> None:
        """Records the remembered deliveries.

        Raises:
            StageError: UNAVAILABLE: the broker stores nothing.
        """
        for subject in tuple(self._owed):
            await self._record(subject)
            self._owed.discard(subject)

    async def keep_recording(self) -> None:
        """Records what is remembered as soon as the broker stores it, until it is cancelled."""
        while True:
            await self._owing.wait()
            self._owing.clear()
            try:
                await self.record_owed()
            except StageError as error:
                log.warning("unit.return_not_recorded", error=error.message)
                self._owing.set()
                await asyncio.sleep(PAUSE_SECONDS)

    async def _record(self, subject: str) -> None:
        await self._broker.publish(
            subject,
            Empty(),
            message_id=f"{subject}/{self._broker.token}",
            give_up_seconds=GIVE_UP_SECONDS,
        )

    async def losses(self, message: Msg) -> int:
        """How many earlier deliveries of a task ended with the loss of their worker.

        Raises:
            nats.errors.Error: The broker does not answer.
            APIError: It refused.
        """
        number = message.metadata.num_delivered
        if number == 1:
            return 0
        # The stream's leader counts: a copy may not have the latest record yet.
        all_of_task = _of_message(message, delivery="*")
        recorded = await matching_subjects(self._broker.client, subjects.RETURNS, all_of_task)
        return sum(_of_message(message, str(each)) not in recorded for each in range(1, number))


def _of_message(message: Msg, delivery: str = "") -> str:
    """The subject of a delivery's record. No two tasks have the same sequence."""
    # See `subjects.task`.
    _, _, stage, _, job_id, *_ = message.subject.split(".")
    metadata = message.metadata
    number = delivery or str(metadata.num_delivered)
    return subjects.returned(stage, job_id, metadata.sequence.stream, number)
