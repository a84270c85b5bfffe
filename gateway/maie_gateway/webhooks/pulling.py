"""Work of a durable consumer that all gateways share: so much of it at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import structlog

from maie_runtime.background import background_tasks
from maie_runtime.bus.broker import BROKER_ERRORS, Broker
from maie_runtime.bus.pull import pull_groups
from maie_runtime.bus.types import AckPolicy, ConsumerConfig, Msg

log = structlog.get_logger()

BROKER_PAUSE_SECONDS = 1.0

Handle = Callable[[Msg], Coroutine[Any, Any, None]]


@dataclass(kw_only=True, frozen=True, slots=True)
class Source:
    """Where the work comes from.

    Attributes:
        stream: The stream.
        consumer: The durable consumer.
        ack_wait_seconds: After how long without an answer a message goes to another gateway.
    """

    stream: str
    consumer: str
    ack_wait_seconds: float


class Puller:
    """Hands messages to a handler, which settles them.

    Args:
        broker: The broker.
        source: Where they come from.
        concurrency: The most that are handled at a time.
        handle: Handles one; it must not raise.
    """

    def __init__(self, broker: Broker, source: Source, concurrency: int, handle: Handle) -> None:
        self._broker = broker
        self._source = source
        self._handle = handle
        self._places = asyncio.Semaphore(concurrency)
        self._handling: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Pulls as long as the context lasts; then finishes what is being handled."""
        await self._declare_consumer()
        try:
            async with background_tasks(self._pull()):
                yield
        finally:
            await asyncio.gather(*self._handling, return_exceptions=True)

    async def _declare_consumer(self) -> None:
        await self._broker.jetstream.add_consumer(
            self._source.stream,
            ConsumerConfig(
                durable_name=self._source.consumer,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=self._source.ack_wait_seconds,
                max_deliver=-1,
                # Messages that wait for a retry count as pending, and must not block others.
                max_ack_pending=-1,
            ),
        )

    async def _pull(self) -> None:
        while True:
            pulled = pull_groups(
                self._broker.client, self._source.stream, self._source.consumer, size=1
            )
            try:
                async with aclosing(pulled) as groups:
                    # Take a place before pulling: a pulled message must be acked within ack_wait.
                    await self._places.acquire()
                    async for (message,) in groups:
                        self._start(message)
                        await self._places.acquire()
            except BROKER_ERRORS as error:
                self._places.release()
                problem = str(error) or type(error).__name__
                log.warning("webhooks.pull_failed", stream=self._source.stream, error=problem)
                with suppress(*BROKER_ERRORS):  # the stream may have been deleted
                    await self._declare_consumer()
            await asyncio.sleep(BROKER_PAUSE_SECONDS)

    def _start(self, message: Msg) -> None:
        handling = asyncio.create_task(self._handle(message))
        self._handling.add(handling)
        handling.add_done_callback(self._handling.discard)
        handling.add_done_callback(lambda _: self._places.release())
