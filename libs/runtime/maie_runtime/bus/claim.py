"""A worker's claim on a task that was delivered to it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from nats.aio.msg import Msg

from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS
from maie_runtime.bus.direct_get import last_sequence
from maie_runtime.bus.redelivery_ledger import RedeliveryLedger
from maie_runtime.bus.refusals import ReportingClient
from maie_runtime.worker.work import TaskAbsentError, UnwantedError, Work

# Three heartbeats fit into the time after which a task is redelivered.
HEARTBEATS_PER_ACK_WAIT = 3
# After so many without an answer, the ack_wait may be over before the next one.
MANY_UNANSWERED = HEARTBEATS_PER_ACK_WAIT - 1
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
        ledger: Records a delivery that may have ended although its worker was not lost.
        ack_wait_seconds: The task is redelivered after this long without a heartbeat.
    """

    def __init__(
        self,
        client: ReportingClient,
        message: Msg,
        ledger: RedeliveryLedger,
        ack_wait_seconds: float,
    ) -> None:
        self._client = client
        self._message = message
        self._ledger = ledger
        self._ack_wait = ack_wait_seconds
        self._pause = ack_wait_seconds / HEARTBEATS_PER_ACK_WAIT

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

    async def keep(self) -> None:
        """Sends heartbeats until it is cancelled.

        The leader of the queue answers each. Where it answered none for about an ack_wait, the task
        may have gone to another worker meanwhile. So this delivery is recorded, once there are
        answers again: its worker lives. That of a worker that could not even send is not.
        """
        loop = asyncio.get_running_loop()
        unanswered, due = 0, loop.time()
        while True:
            due = max(due + self._pause, loop.time())
            await asyncio.sleep(due - loop.time())
            try:
                await self.beat()
            except BROKER_ERRORS:
                unanswered += 1
            else:
                if unanswered >= MANY_UNANSWERED:
                    self._ledger.owe(self._message)
                unanswered = 0

    async def beat(self) -> None:
        """Sends a heartbeat, and waits for its answer as long as until the next one.

        Raises:
            nats.errors.Error: There is no leader, or it cannot be reached.
        """
        await self._client.request(self._message.reply, Msg.Ack.Progress, timeout=self._pause)

    async def watch(self, work: Work) -> None:
        """Stops work that is no longer wanted; looks as often as heartbeats are sent.

        The notification of a cancellation may have been lost.
        """
        while True:
            await asyncio.sleep(self._pause)
            with suppress(*BROKER_ERRORS):
                try:
                    await self.check()
                except UnwantedError as error:
                    work.stop(error)

    async def _newest(self) -> int | None:
        return await last_sequence(self._client, subjects.TASKS, self._message.subject)
