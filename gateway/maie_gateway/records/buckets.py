"""Follows a bucket of the broker over one watch, as long as the gateway runs.

Reading a whole bucket needs a watch, and each watch leaves a consumer in the
broker for minutes. So a bucket that is read often is followed instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any

import structlog

from maie_runtime.background import end
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.watch import Entry, watch

log = structlog.get_logger()

RESTART_SECONDS = 1.0


async def follow_bucket(
    broker: Broker,
    bucket: str,
    begun: Callable[[], Awaitable[None]],
    received: Callable[[Entry | None], Awaitable[None]],
) -> None:
    """Follows a bucket until it is cancelled, over new connections and failures.

    Args:
        broker: The connection.
        bucket: The bucket's name.
        begun: Called when a watch begins; all existing entries follow.
        received: Called with each entry, and with None after the existing ones;
            awaited before the next entry. If either callback raises, the watch restarts.
    """
    while True:
        await _until_reconnected(broker, _watch(broker, bucket, begun, received))
        await asyncio.sleep(RESTART_SECONDS)


async def _until_reconnected(broker: Broker, watch: Coroutine[Any, Any, None]) -> None:
    """Watches until the watch fails or the connection was lost."""
    watching = asyncio.create_task(watch)

    def restart() -> None:
        watching.cancel()

    with broker.subscribe_reconnects(restart):
        try:
            await asyncio.wait({watching})
        finally:
            await end(watching)
    if not watching.cancelled() and (error := watching.exception()) is not None:
        log.warning("bucket.watch_failed", exc_info=error)


async def _watch(
    broker: Broker,
    bucket: str,
    begun: Callable[[], Awaitable[None]],
    received: Callable[[Entry | None], Awaitable[None]],
) -> None:
    await begun()
    async with aclosing(watch(broker.jetstream, bucket)) as entries:
        async for entry in entries:
            await received(entry)
