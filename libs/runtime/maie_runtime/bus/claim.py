"""A worker's claim on a task that was delivered to it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from nats.aio.msg import Msg

from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS
from maie_runtime.bus.direct_get import last_sequence
from maie_runtime.bus.refusals import ReportingClient
from maie_runtime.worker.work import TaskAbsentError, UnwantedError, Work

# Three heartbeats fit into the time after which a task is redelivered.
HEARTBEATS_PER_ACK_WAIT = 3
# Most tasks are pulled at once, and need no lookup of whether they are still wanted.
FRESH = timedelta(seconds=1)
LOOK_AGAIN_SECONDS = 0.25


class Claim:
    """Keeps a task with its worker as long as its result would count.

    The queue shows whether it would: a gateway purges the tasks of a cancelled or deleted job,
    and the task of a later attempt has the same subject.

    Args:
        client: The connection.
        message: The task's message.
    """

    def __init__(self, client: ReportingClient, message: Msg) -> None:
        self._client = client
        self._message = message

    @property
    def place(self) -> int:
        """The task's place in its stream."""
        return self._message.metadata.sequence.stream

    @property
    def is_fresh(self) -> bool:
        """Whether the task is so new that it needs no lookup.

        If it is unwanted all the same, a heartbeat or the conductor detects that.
        """
        metadata = self._message.metadata
        age = abs(datetime.now(UTC) - metadata.timestamp)
        return metadata.num_delivered == 1 and age < FRESH

    async def check(self) -> None:
        """Looks whether the task is the last of its subject.

        Raises:
            UnwantedError: It is not.
            TaskAbsentError: The server that was asked has none; it may be behind the others, so
                the task is returned and not removed.
            nats.errors.Error: The broker does not answer.
            APIError: It refused.
        """
        newest = await self._newest()
        if newest is None:
            # The replica that answered may be a moment behind.
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            newest = await self._newest()
        if newest is None:
            raise TaskAbsentError
        if newest > self.place:
            raise UnwantedError

    async def keep(self, work: Work, ack_wait_seconds: float) -> None:
        """Sends heartbeats until it is cancelled; stops work that is no longer wanted."""
        while True:
            await asyncio.sleep(ack_wait_seconds / HEARTBEATS_PER_ACK_WAIT)
            with suppress(*BROKER_ERRORS):
                await self._message.in_progress()
                try:
                    # The notification of a cancellation may have been lost.
                    await self.check()
                except UnwantedError as error:
                    work.stop(error)

    async def _newest(self) -> int | None:
        return await last_sequence(self._client, subjects.TASKS, self._message.subject)
