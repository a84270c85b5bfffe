"""Distinguishes tasks that a worker returned (NAK) from tasks whose worker was lost.

JetStream counts both as deliveries. So a worker records each delivery that it
returns before it does so, and records a delivery that a failing broker ended as
soon as the broker stores messages again. A delivery without a record was lost:
its worker died or sent no heartbeats.
"""

from __future__ import annotations

import structlog
from google.protobuf.empty_pb2 import Empty
from nats.aio.msg import Msg

from maie_core.errors import StageError
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.stored_subjects import count_subjects

log = structlog.get_logger()

# A worker that drains has little time, and returns its task even if this fails.
GIVE_UP_SECONDS = 2.0


class RedeliveryLedger:
    """Returns tasks to the queue, and counts the deliveries that were lost.

    Args:
        broker: The broker.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._owed: set[str] = set()

    async def give_back(self, message: Msg, delay: float | None = None) -> None:
        """Returns a task to the queue, so that this delivery does not count as a loss.

        Args:
            message: The task's message, not settled yet.
            delay: Redeliver it after this many seconds; None: at once.
        """
        try:
            await self._record(_of_message(message))
        except StageError as error:
            log.warning("unit.return_not_recorded", error=error.message)
            self.owe(message)
        await message.nak(delay=delay)

    def owe(self, message: Msg) -> None:
        """Remembers to record a delivery that ended although this worker was not lost."""
        self._owed.add(_of_message(message))

    async def record_owed(self) -> None:
        """Records the remembered deliveries, so that they do not count as losses.

        Raises:
            StageError: UNAVAILABLE: the broker stores nothing.
        """
        for subject in tuple(self._owed):
            await self._record(subject)
            self._owed.discard(subject)

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
        earlier = message.metadata.num_delivered - 1
        if not earlier:
            return 0
        # The stream's leader counts: a copy may not have the latest record yet.
        returned = _of_message(message, delivery="*")
        return earlier - await count_subjects(self._broker.client, subjects.RETURNS, returned)


def _of_message(message: Msg, delivery: str = "") -> str:
    """The subject of a delivery's record. No two tasks have the same sequence."""
    # See `subjects.task`.
    _, _, stage, _, job_id, *_ = message.subject.split(".")
    metadata = message.metadata
    number = delivery or str(metadata.num_delivered)
    return subjects.returned(stage, job_id, metadata.sequence.stream, number)
