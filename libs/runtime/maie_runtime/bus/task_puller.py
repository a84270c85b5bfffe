"""Pulls tasks from the two queues of a stage, one at a time: interactive before batch.

An idle slot costs two small requests a second. A plain subscription to the
tasks' subjects announces a task, and the slot then requests it from JetStream:
the subscription alone would give one task to every worker. A redelivered task
is not published again, so a slot also polls every `POLL_SECONDS`.

No request is ever cancelled. JetStream may be about to answer it, and the
task would then be lost until its ack_wait is over; so a request ends with an
answer, and late tasks are kept or returned.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Self

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import Header
from nats.js.errors import APIError

from maie_runtime.bus import subjects
from maie_runtime.bus.redelivery_ledger import RedeliveryLedger
from maie_runtime.bus.refusals import ReportingClient

POLL_SECONDS = 1.0
# A task is announced before it is stored, which takes a write to the disk.
STORE_SECONDS = 0.05
# The server ends a request by itself; this long after that, the answer is lost.
LATE_SECONDS = 2.0
FLUSH_SECONDS = 2
# No task, or the request has expired.
_EMPTY = ("404", "408")
# The same, or the server has too many requests: try again later.
_NOTHING = (*_EMPTY, "409")


class TaskNotifier:
    """Notifies waiting slots of each task of a stage as it is published.

    Attributes:
        announced: When a task of a lane was last announced, in the loop's time.
        empty: When a lane was last polled and had no task.
        waiting: The events that are set at each task.
    """

    def __init__(self, client: ReportingClient, slug: str) -> None:
        self.announced: dict[str, float] = {}
        self.empty: dict[str, float] = {}
        self._client = client
        self._subject = subjects.tasks_of_stage(slug, "*")
        self.waiting: set[asyncio.Event] = set()
        self._subscription: Any = None

    def is_empty(self, lane: str) -> bool:
        """Whether a lane needs no poll: it had no task, and none was announced since.

        A redelivered task is not announced, so this holds only for `POLL_SECONDS`.
        """
        asked = self.empty.get(lane, -math.inf)
        announced = self.announced.get(lane, -math.inf)
        now = asyncio.get_running_loop().time()
        return now - asked < POLL_SECONDS and announced < asked - STORE_SECONDS

    async def start(self) -> None:
        """Subscribes to the tasks."""
        self._subscription = await self._client.subscribe(self._subject, cb=self._on_task)

    def notify(self) -> None:
        """Makes all waiting slots poll again."""
        for event in self.waiting:
            event.set()

    async def stop(self) -> None:
        """Ends the subscription."""
        if self._subscription is not None:
            with suppress(NatsError, OSError):
                await self._subscription.unsubscribe()

    async def _on_task(self, message: Msg) -> None:
        self.announced[message.subject.split(".")[3]] = asyncio.get_running_loop().time()
        self.notify()


class TaskPuller:
    """Pulls tasks for one slot.

    Args:
        client: The connection.
        ledger: Returns late tasks.
        notifier: Reports the stage's new tasks.
        consumers: The durable consumers by lane, in priority order.
        slots: One is acquired for each request, and kept with its task.
        may_look: Whether a task may be taken now; called repeatedly.
    """

    def __init__(
        self,
        client: ReportingClient,
        ledger: RedeliveryLedger,
        notifier: TaskNotifier,
        consumers: Mapping[str, str],
        slots: asyncio.Semaphore,
        may_look: Callable[[], bool],
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._notifier = notifier
        self._consumers = consumers
        self._slots = slots
        self._may_look = may_look
        self._inbox = client.new_inbox()
        self._number = 0
        self._taking = False
        self._ended = False
        self._request_open = False
        self._answered: dict[str, float] = {}
        self._notified = asyncio.Event()
        self._answers: asyncio.Queue[Msg] = asyncio.Queue()
        self._subscription: Any = None

    async def __aenter__(self) -> Self:
        self._subscription = await self._client.subscribe(f"{self._inbox}.*", cb=self._on_answer)
        self._notifier.waiting.add(self._notified)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._notifier.waiting.discard(self._notified)
        with suppress(NatsError, OSError):
            await self._subscription.unsubscribe()
        await self._give_all_back()

    def end(self) -> None:
        """Makes `take` return without a task, as soon as the open request is answered."""
        self._ended = True
        self._notified.set()

    async def take(self) -> Msg | None:
        """Waits for the next task, without a time limit; None after `end`.

        The caller releases the slot that comes with a task.

        Raises:
            APIError: The server cannot serve a request; the consumers may be gone.
            RefusedError: This part may not pull from a consumer.
            nats.errors.Error: The connection is closed.
            TimeoutError: The server does not answer.
        """
        self._taking = True
        try:
            while not self._ended:
                if message := await self._look():
                    return message
            return None
        finally:
            self._taking = False
            await self._give_all_back()

    async def _look(self) -> Msg | None:
        """Polls for a task, and again after an announcement."""
        self._notified.clear()
        if not self._may_look():
            await self._rest(POLL_SECONDS)
            return None
        if message := await self._ask_first(self._lanes_to_ask):
            return message
        if not self._open_calls() and not self._ended:
            # A task that was announced together with the last taken one may be stored by then.
            await self._rest(STORE_SECONDS if self._recent() else POLL_SECONDS)
        if not self._may_look():
            return None
        return await self._ask_first(self._open_calls, STORE_SECONDS)

    def _lanes_to_ask(self) -> list[str]:
        return [lane for lane in self._consumers if not self._notifier.is_empty(lane)]

    async def _rest(self, seconds: float) -> None:
        """Waits for an announcement, or for this long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._notified.wait()

    def _recent(self) -> list[str]:
        """The lanes whose last announced task may not be stored yet."""
        now = asyncio.get_running_loop().time()
        announced = self._notifier.announced
        return [
            lane for lane in self._consumers if now - announced.get(lane, -math.inf) < STORE_SECONDS
        ]

    def _open_calls(self) -> list[str]:
        """The recent lanes without a taken task or an expired request since the announcement."""
        announced = self._notifier.announced
        return [lane for lane in self._recent() if announced[lane] != self._answered.get(lane)]

    async def _ask_first(
        self, lanes: Callable[[], list[str]], wait_seconds: float = 0.0
    ) -> Msg | None:
        """Polls lanes for a task in a free slot; None, and no slot, without a task."""
        if not lanes():
            return None
        await self._slots.acquire()
        message = None
        try:
            # The wait for the slot may have been long.
            for lane in lanes() if self._may_look() and not self._ended else ():
                if message := await self._ask(lane, wait_seconds):
                    break
        finally:
            if message is None:
                self._slots.release()
        return message

    async def _ask(self, lane: str, wait_seconds: float) -> Msg | None:
        if self._request_open:
            # The last request may still be in transit: no further one before the server answers.
            await self._client.flush(FLUSH_SECONDS)
        self._number += 1
        reply = f"{self._inbox}.{self._number}"
        asked = asyncio.get_running_loop().time()
        announced = self._notifier.announced.get(lane)
        query: dict[str, Any] = {"batch": 1}
        query |= {"expires": int(wait_seconds * 1e9)} if wait_seconds else {"no_wait": True}
        where = f"$JS.API.CONSUMER.MSG.NEXT.{subjects.TASKS}.{self._consumers[lane]}"
        async with self._client.reporting(where):
            await self._client.publish(where, json.dumps(query).encode(), reply)
            self._request_open = True
            async with asyncio.timeout(wait_seconds + LATE_SECONDS):
                message, status = await self._answer(reply)
        self._request_open = False
        if status in _EMPTY:
            self._notifier.empty[lane] = asked
        if announced is not None and (message or wait_seconds):
            self._answered[lane] = announced
        return message

    async def _answer(self, reply: str) -> tuple[Msg | None, str]:
        """The task, or the status with which the open request ended without one."""
        while True:
            message = await self._answers.get()
            status = _status(message)
            if status is None:
                return message, ""
            if message.subject == reply:
                if status in _NOTHING:
                    return None, status
                raise APIError(code=int(status), description="The server refused to deliver.")

    async def _on_answer(self, message: Msg) -> None:
        if self._taking:
            self._answers.put_nowait(message)
        else:
            await self._give_back(message)

    async def _give_all_back(self) -> None:
        while not self._answers.empty():
            await self._give_back(self._answers.get_nowait())

    async def _give_back(self, message: Msg) -> None:
        """Returns a task to the queue; ignores other messages."""
        if _status(message) is None:
            with suppress(NatsError, OSError):
                await self._ledger.give_back(message)


def _status(message: Msg) -> str | None:
    return (message.headers or {}).get(Header.STATUS)
