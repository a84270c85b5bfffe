"""Brings back streams that somebody deleted under a running mesh."""

from __future__ import annotations

import asyncio

import structlog
from nats.js.errors import NotFoundError

from maie_runtime.broker import BROKER_ERRORS, BUCKETS, STREAMS, Broker, Lifetimes
from maie_runtime.subjects import bucket_stream

log = structlog.get_logger()

LOOK_SECONDS = 5.0
NAMES = (
    *(stream.name or "" for stream in STREAMS),
    *(bucket_stream(bucket.bucket) for bucket in BUCKETS),
)


async def keep_streams(broker: Broker, lifetimes: Lifetimes) -> None:
    """Looks from time to time whether all streams are there, until it is cancelled.

    What a deleted stream held is gone; jobs whose tasks or events it held are moved
    on by the reconciler.

    Args:
        broker: The connection.
        lifetimes: How long things are kept.
    """
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            if missing := await _missing(broker):
                log.error("broker.streams_missing", streams=missing)
                await broker.provision(lifetimes)
                # Watches of a bucket that was deleted would hear nothing any more.
                await broker.note_reconnect()
        except BROKER_ERRORS as error:
            log.warning("broker.streams_not_kept", error=str(error) or type(error).__name__)


async def _missing(broker: Broker) -> list[str]:
    missing = []
    for name in NAMES:
        try:
            await broker.jetstream.stream_info(name)
        except NotFoundError:
            missing.append(name)
    return missing
