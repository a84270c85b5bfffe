"""Brings back streams that somebody deleted or changed under a running mesh."""

from __future__ import annotations

import asyncio

import structlog

from maie_runtime.bus.broker import BROKER_ERRORS, Broker
from maie_runtime.bus.provision import Wanted, is_provisioned, provision
from maie_runtime.errors import StageError

log = structlog.get_logger()

LOOK_SECONDS = 5.0


async def keep_streams(broker: Broker, wanted: Wanted) -> None:
    """Looks from time to time whether all streams and consumers are there, until it is cancelled.

    What a deleted stream held is gone; jobs whose tasks or events it held are moved
    on by the reconciler.

    Args:
        broker: The connection.
        wanted: What is to be there.
    """
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            if not await is_provisioned(broker):
                log.error("broker.streams_missing")
                await provision(broker, wanted)
                # Watches of a bucket that was deleted would hear nothing any more.
                await broker.note_reconnect()
        except (StageError, *BROKER_ERRORS) as error:
            log.warning("broker.streams_not_kept", error=str(error) or type(error).__name__)
