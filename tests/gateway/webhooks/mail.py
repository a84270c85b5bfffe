"""What becomes of the deliveries of jobs that finish, over a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from opentelemetry.metrics import Meter

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import record_pb2 as record
from maie_core.metrics import NO_METER
from maie_gateway.egress.guard import Resolve, UrlGuard, open_guard
from maie_gateway.records.store import JobStore
from maie_gateway.webhooks import (
    WebhookSender,
    WebhookSettings,
    deliveries,
    open_webhooks,
    publish_deliveries,
)
from maie_gateway.webhooks.gate import receiver_breaker
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from tests.waiting import PATIENCE_SECONDS

LOOPBACK = ["127.0.0.0/8"]
QUICK: dict[str, Any] = {
    "allowed_networks": LOOPBACK,
    "timeout_seconds": 5,
    "retry_min_seconds": 0.05,
    "retry_max_seconds": 0.2,
    "breaker_pause_seconds": 0.3,
}
UNTIL_GIVEN_UP: dict[str, Any] = {**QUICK, "breaker_failures": 1000, "give_up_hours": 0.5 / 3600}


@dataclass(kw_only=True)
class Mail:
    """What a test needs of a mesh: jobs that finish, and what becomes of their deliveries."""

    broker: Broker

    @asynccontextmanager
    async def sender(self, resolve: Resolve | None = None, **options: Any) -> AsyncIterator[None]:
        settings = WebhookSettings(**{**QUICK, **options})
        with open_guard(settings.allowed_networks) as guard:
            if resolve is not None:
                guard = UrlGuard(resolve, settings.allowed_networks)
            store, breaker = JobStore(self.broker), receiver_breaker(settings)
            sender = WebhookSender(self.broker, store, settings, guard, breaker)
            async with sender.running():
                yield

    @asynccontextmanager
    async def all(self, meter: Meter = NO_METER, **options: Any) -> AsyncIterator[None]:
        """All that a gateway does for webhooks, finals included."""
        async with open_webhooks(self.broker, WebhookSettings(**{**QUICK, **options}), meter):
            yield

    async def finish(self, new: record.JobRecord) -> None:
        await JobStore(self.broker).create(new)
        await publish_deliveries(self.broker, deliveries(None, new, {}))

    async def waiting(self, stream: str = subjects.WEBHOOKS) -> int:
        info = await self.broker.jetstream.stream_info(stream)
        return int(info.state.messages)

    async def empty(self, stream: str = subjects.WEBHOOKS) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.waiting(stream):
                await asyncio.sleep(0.02)

    async def letters(self) -> list[event.DeadLetter]:
        info = await self.broker.jetstream.stream_info(subjects.DEAD_LETTERS)
        found = []
        for sequence in range(1, info.state.messages + 1):
            message = await self.broker.jetstream.get_msg(subjects.DEAD_LETTERS, sequence)
            found.append(event.DeadLetter.FromString(message.data or b""))
        return found


def answers(*statuses: int) -> Any:
    async def answer(number: int) -> web.StreamResponse:
        return web.Response(status=statuses[min(number, len(statuses)) - 1])

    return answer
