"""The two queues of a stage, served one task at a time: interactive before batch.

A slot that waits costs two small requests a second. It hears of a task by a
plain subscription to the tasks' subjects, and then asks JetStream for it: the
subscription alone would give one task to every worker. A task that comes again
is not published again, so a slot also asks every `POLL_SECONDS`.

No request is ever taken back. JetStream may be about to answer one, and the
task would then be lost until its ack_wait is over; so a request ends with an
answer, and what comes late is kept or given back.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Self

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import Header
from nats.js.errors import APIError

from maie_runtime.bus import subjects
from maie_runtime.bus.redelivery_ledger import RedeliveryLedger

POLL_SECONDS = 1.0
# A task is heard of before it is stored, which takes a write to the disk.
STORE_SECONDS = 0.05
# The server ends a request by itself; this much later the answer must have been lost.
LATE_SECONDS = 2.0
FLUSH_SECONDS = 2
# Nothing there, or the time is up.
_EMPTY = ("404", "408")
# The same, or the server has too many requests: try again later.
_NOTHING = (*_EMPTY, "409")


class WakeUps:
    """Hears of each task of a stage as it is published.

    Attributes:
        heard: When a task of a lane was last heard of, in the loop's time.
        empty: When a lane was last asked and had nothing.
        waiting: What is set at each task.
    """

    def __init__(self, client: Client, slug: str) -> None:
        self.heard: dict[str, float] = {}
        self.empty: dict[str, float] = {}
        self._client = client
        self._subject = subjects.tasks_of_stage(slug, "*")
        self.waiting: set[asyncio.Event] = set()
        self._subscription: Any = None

    def is_empty(self, lane: str) -> bool:
        """Whether a lane need not be asked: it had nothing, and nothing was heard of since.

        A task that comes again is not heard of, so this holds for `POLL_SECONDS` only.
        """
        asked = self.empty.get(lane, -math.inf)
        heard = self.heard.get(lane, -math.inf)
        now = asyncio.get_running_loop().time()
        return now - asked < POLL_SECONDS and heard < asked - STORE_SECONDS

    async def start(self) -> None:
        """Listens from now on."""
        self._subscription = await self._client.subscribe(self._subject, cb=self._on_task)

    def wake(self) -> None:
        """Makes all that wait look again."""
        for event in self.waiting:
            event.set()

    async def stop(self) -> None:
        """Listens no more."""
        if self._subscription is not None:
            with suppress(NatsError, OSError):
                await self._subscription.unsubscribe()

    async def _on_task(self, message: Msg) -> None:
        self.heard[message.subject.split(".")[3]] = asyncio.get_running_loop().time()
        self.wake()


class LanePuller:
    """Takes tasks for one slot.

    Args:
        client: The connection.
        ledger: Returns tasks that came too late.
        wake_ups: What is heard of the stage's tasks.
        consumers: The durable consumers by lane, in the order of their service.
        slots: One is acquired for each request, and kept with the task that comes.
        may_look: Whether a task may be taken now; asked again and again.
    """

    def __init__(
        self,
        client: Client,
        ledger: RedeliveryLedger,
        wake_ups: WakeUps,
        consumers: Mapping[str, str],
        slots: asyncio.Semaphore,
        may_look: Callable[[], bool],
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._wake_ups = wake_ups
        self._consumers = consumers
        self._slots = slots
        self._may_look = may_look
        self._inbox = client.new_inbox()
        self._number = 0
        self._taking = False
        self._ended = False
        self._request_open = False
        self._answered: dict[str, float] = {}
        self._woken = asyncio.Event()
        self._answers: asyncio.Queue[Msg] = asyncio.Queue()
        self._subscription: Any = None

    async def __aenter__(self) -> Self:
        self._subscription = await self._client.subscribe(f"{self._inbox}.*", cb=self._on_answer)
        self._wake_ups.waiting.add(self._woken)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._wake_ups.waiting.discard(self._woken)
        with suppress(NatsError, OSError):
            await self._subscription.unsubscribe()
        await self._give_all_back()

    def end(self) -> None:
        """Makes `take` return without a task, as soon as the request under way is answered."""
        self._ended = True
        self._woken.set()

    async def take(self) -> Msg | None:
        """Waits for the next task, for ever; None after `end`.

        The caller releases the slot that comes with a task.

        Raises:
            APIError: The server refused a request; the consumers may be gone.
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
        """Asks for what is there, and once more after something was heard of."""
        self._woken.clear()
        if not self._may_look():
            await self._rest(POLL_SECONDS)
            return None
        if message := await self._ask_first(self._lanes_to_ask):
            return message
        if not self._open_calls() and not self._ended:
            # What was called for together with a task that was taken may be stored by then.
            await self._rest(STORE_SECONDS if self._recent() else POLL_SECONDS)
        if not self._may_look():
            return None
        return await self._ask_first(self._open_calls, STORE_SECONDS)

    def _lanes_to_ask(self) -> list[str]:
        return [lane for lane in self._consumers if not self._wake_ups.is_empty(lane)]

    async def _rest(self, seconds: float) -> None:
        """Waits until something is heard of, or for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    def _recent(self) -> list[str]:
        """The lanes whose last task may be about to be stored."""
        now = asyncio.get_running_loop().time()
        heard = self._wake_ups.heard
        return [
            lane for lane in self._consumers if now - heard.get(lane, -math.inf) < STORE_SECONDS
        ]

    def _open_calls(self) -> list[str]:
        """The recent lanes that nothing was taken from, and nobody waited for, since."""
        heard = self._wake_ups.heard
        return [lane for lane in self._recent() if heard[lane] != self._answered.get(lane)]

    async def _ask_first(
        self, lanes: Callable[[], list[str]], wait_seconds: float = 0.0
    ) -> Msg | None:
        """Asks lanes for a task in a free slot; None, and no slot, where there is none."""
        if not lanes():
            return None
        await self._slots.acquire()
        message = None
        try:
            # To wait for the slot may have taken long.
            for lane in lanes() if self._may_look() and not self._ended else ():
                if message := await self._ask(lane, wait_seconds):
                    break
        finally:
            if message is None:
                self._slots.release()
        return message

    async def _ask(self, lane: str, wait_seconds: float) -> Msg | None:
        if self._request_open:
            # The last request may still be on its way: none more before the server is heard of.
            await self._client.flush(FLUSH_SECONDS)
        self._number += 1
        reply = f"{self._inbox}.{self._number}"
        asked = asyncio.get_running_loop().time()
        heard = self._wake_ups.heard.get(lane)
        wish: dict[str, Any] = {"batch": 1}
        wish |= {"expires": int(wait_seconds * 1e9)} if wait_seconds else {"no_wait": True}
        await self._client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{subjects.TASKS}.{self._consumers[lane]}",
            json.dumps(wish).encode(),
            reply,
        )
        self._request_open = True
        async with asyncio.timeout(wait_seconds + LATE_SECONDS):
            message, status = await self._answer(reply)
        self._request_open = False
        if status in _EMPTY:
            self._wake_ups.empty[lane] = asked
        if heard is not None and (message or wait_seconds):
            self._answered[lane] = heard
        return message

    async def _answer(self, reply: str) -> tuple[Msg | None, str]:
        """The task that came, or why the request under way ended without one."""
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
        """Gives a task to the next worker that asks; no task, no matter."""
        if _status(message) is None:
            with suppress(NatsError, OSError):
                await self._ledger.give_back(message)


def _status(message: Msg) -> str | None:
    return (message.headers or {}).get(Header.STATUS)
