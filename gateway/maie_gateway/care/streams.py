"""Restores streams that were deleted or changed while the mesh runs."""

from __future__ import annotations

import asyncio

import structlog

from maie_core.errors import StageError
from maie_runtime.bus.broker import BROKER_ERRORS, Broker
from maie_runtime.bus.provision import Wanted, is_provisioned, provision

log = structlog.get_logger()

LOOK_SECONDS = 5.0


async def keep_streams(broker: Broker, wanted: Wanted) -> None:
    """Restores missing streams and consumers, until it is cancelled.

    The messages of a deleted stream are lost; the reconciler restores the tasks of
    unfinished jobs.

    Args:
        broker: The connection.
        wanted: The settings of the streams.
    """
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            if not await is_provisioned(broker):
                log.error("broker.streams_missing")
                await provision(broker, wanted)
                # A watch of a deleted bucket gets no more entries, so it must restart.
                await broker.note_reconnect()
        except (StageError, *BROKER_ERRORS) as error:
            log.warning("broker.streams_not_kept", error=str(error) or type(error).__name__)
