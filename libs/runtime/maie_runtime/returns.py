"""Tells units that workers gave back in order from units whose workers were lost.

JetStream counts both as deliveries. So a worker writes down each delivery that
it gives back before it does, and what is not written down was lost: the worker
died, fell silent or could not reach the broker.
"""

from __future__ import annotations

import structlog
from google.protobuf.empty_pb2 import Empty
from nats.aio.msg import Msg

from maie_runtime import subjects
from maie_runtime.broker import Broker
from maie_runtime.errors import StageError

log = structlog.get_logger()

# Who drains has little time, and gives the unit back all the same.
GIVE_UP_SECONDS = 2.0


class Returns:
    """Gives tasks back to the queue, and counts the deliveries that were not given back.

    Args:
        broker: Where tasks come from.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def give_back(self, message: Msg, delay: float | None = None) -> None:
        """Gives a task back as if it had not been delivered.

        Args:
            message: The task's message, not settled yet.
            delay: After how many seconds it is delivered again; at once where None.
        """
        subject = _of_message(message, str(message.metadata.num_delivered))
        try:
            await self._broker.publish(
                subject, Empty(), message_id=subject, give_up_seconds=GIVE_UP_SECONDS
            )
        except StageError as error:
            log.warning("unit.return_not_noted", error=error.message)
        await message.nak(delay=delay)

    async def losses(self, message: Msg) -> int:
        """How many deliveries of a task before this one ended with the loss of their worker.

        Raises:
            nats.errors.Error: The broker does not answer.
            APIError: It refused.
        """
        earlier = message.metadata.num_delivered - 1
        if not earlier:
            return 0
        told = await self._broker.jetstream.stream_info(
            subjects.RETURNS, subjects_filter=_of_message(message, "*")
        )
        return earlier - len(told.state.subjects or {})


def _of_message(message: Msg, delivery: str) -> str:
    """Where the note on a delivery goes: a task's place in its stream is never given twice."""
    job_id = message.subject.split(".")[4]
    return subjects.returned(job_id, message.metadata.sequence.stream, delivery)
