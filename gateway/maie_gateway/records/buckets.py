"""A bucket of the broker, followed by one watch as long as a gateway lives.

To read a whole bucket is to watch it for a moment, and each watch leaves a
consumer in the broker for minutes. So a bucket that is read often is followed.
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
    """What a bucket has under a key.

    Attributes:
        key: The key.
        value: What stands there; None where it is gone.
        revision: Since when, counted over the whole bucket.
    """

    key: str
    value: bytes | None
    revision: int


async def follow_bucket(
    broker: Broker,
    bucket: KeyValue,
    begun: Callable[[], Awaitable[None]],
    told: Callable[[Entry | None], Awaitable[None]],
) -> None:
    """Follows a bucket until it is cancelled, over new connections and failures.

    Args:
        broker: The connection.
        bucket: The bucket.
        begun: Called where a watch begins: all that is in the bucket comes now.
        told: Called with each entry, or with None once all that was there has come.
            The next one waits for it. Where either raises, the watch begins anew.
    """
    while True:
        await _until_reconnected(broker, _watch(bucket, begun, told))
        await asyncio.sleep(RESTART_SECONDS)


async def _until_reconnected(broker: Broker, watch: Coroutine[Any, Any, None]) -> None:
    """Watches until that fails, or until the broker was away."""
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
    told: Callable[[Entry | None], Awaitable[None]],
) -> None:
    watcher = await bucket.watchall()
    try:
        await begun()
        async for entry in watcher:
            if entry is None:
                await told(None)
                continue
            value = (entry.value or b"") if entry.operation is None else None
            await told(Entry(key=entry.key, value=value, revision=entry.revision or 0))
    finally:
        with suppress(NatsError, OSError):
            await watcher.stop()
