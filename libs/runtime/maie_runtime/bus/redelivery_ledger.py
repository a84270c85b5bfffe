"""Tells units that workers gave back in order from units whose workers were lost.

JetStream counts both as deliveries. So a worker writes down each delivery that
it gives back before it does, and those that a failing broker took from it once
that stores again. What is not written down was lost: the worker died or fell
silent.
"""

from __future__ import annotations

import asyncio

import structlog
from google.protobuf.empty_pb2 import Empty
from nats.aio.msg import Msg

from maie_core.errors import StageError
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.direct_get import count

log = structlog.get_logger()

# Who drains has little time, and gives the unit back all the same.
GIVE_UP_SECONDS = 2.0
LOOK_AGAIN_SECONDS = 0.25


class RedeliveryLedger:
    """Gives tasks back to the queue, and counts the deliveries that were not given back.

    Args:
        broker: Where tasks come from.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._owed: set[str] = set()

    async def give_back(self, message: Msg, delay: float | None = None) -> None:
        """Gives a task back as if it had not been delivered.

        Args:
            message: The task's message, not settled yet.
            delay: After how many seconds it is delivered again; at once where None.
        """
        try:
            await self._note(_of_message(message))
        except StageError as error:
            log.warning("unit.return_not_noted", error=error.message)
            self.owe(message)
        await message.nak(delay=delay)

    def owe(self, message: Msg) -> None:
        """Remembers to note that this worker outlived a delivery, which the broker ended."""
        self._owed.add(_of_message(message))

    async def note_owed(self) -> None:
        """Notes what is owed, so that no worker takes those deliveries for lost.

        Raises:
            StageError: UNAVAILABLE: the broker stores nothing.
        """
        for subject in tuple(self._owed):
            await self._note(subject)
            self._owed.discard(subject)

    async def _note(self, subject: str) -> None:
        await self._broker.publish(
            subject, Empty(), message_id=subject, give_up_seconds=GIVE_UP_SECONDS
        )

    async def losses(self, message: Msg) -> int:
        """How many deliveries of a task before this one ended with the loss of their worker.

        Raises:
            nats.errors.Error: The broker does not answer.
            APIError: It refused.
        """
        earlier = message.metadata.num_delivered - 1
        if not earlier:
            return 0
        lost = earlier - await self._count_notes(message)
        if lost:
            # A note of a moment ago may not have reached the server that answered.
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            lost = earlier - await self._count_notes(message)
        return lost

    async def _count_notes(self, message: Msg) -> int:
        pattern = _of_message(message, delivery="*")
        return await count(self._broker.client, subjects.RETURNS, pattern)


def _of_message(message: Msg, delivery: str = "") -> str:
    """Where the note on a delivery goes: a task's place in its stream is never given twice."""
    job_id, told = message.subject.split(".")[4], message.metadata
    return subjects.returned(job_id, told.sequence.stream, delivery or str(told.num_delivered))
