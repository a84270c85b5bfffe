"""Follows a bucket of the broker over one watch, as long as the gateway runs.

Reading a whole bucket needs a watch, and each watch leaves a consumer in the
broker for minutes. So a bucket that is read often is followed instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from maie_runtime.background import end
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.errors import NatsError
from maie_runtime.bus.types import KeyValue

log = structlog.get_logger()

RESTART_SECONDS = 1.0


@dataclass(kw_only=True, frozen=True, slots=True)
class Entry:
    """An entry of a bucket.

    Attributes:
        key: The key.
        value: The value; None where the key was removed.
        revision: The bucket's revision of this entry.
    """

    key: str
    value: bytes | None
    revision: int


async def follow_bucket(
    broker: Broker,
    bucket: KeyValue,
    begun: Callable[[], Awaitable[None]],
    received: Callable[[Entry | None], Awaitable[None]],
) -> None:
    """Follows a bucket until it is cancelled, over new connections and failures.

    Args:
        broker: The connection.
        bucket: The bucket.
        begun: Called when a watch begins; all existing entries follow.
        received: Called with each entry, and with None after the existing ones;
            awaited before the next entry. If either callback raises, the watch restarts.
    """
    while True:
        await _until_reconnected(broker, _watch(bucket, begun, received))
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
    bucket: KeyValue,
    begun: Callable[[], Awaitable[None]],
    received: Callable[[Entry | None], Awaitable[None]],
) -> None:
    watcher = await bucket.watchall()
    try:
        await begun()
        async for entry in watcher:
            if entry is None:
                await received(None)
                continue
            value = (entry.value or b"") if entry.operation is None else None
            await received(Entry(key=entry.key, value=value, revision=entry.revision or 0))
    finally:
        with suppress(NatsError, OSError):
            await watcher.stop()
