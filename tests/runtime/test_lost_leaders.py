"""A unit whose worker lives is not given up for a broker of three that had no leader."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import open_broker
from maie_runtime.bus.provision import declare_lanes
from tests.empty_stages import EmptyStage
from tests.nats_cluster import NatsCluster, leader_of
from tests.runtime.workers import (
    BINDING,
    UNIT,
    deliveries,
    next_event,
    queue_is_empty,
    submit,
    take,
    worker,
)

pytestmark = [
    pytest.mark.mesh,
    pytest.mark.slow,
    # nats-py drops what it opened to a server that dies at that moment.
    pytest.mark.filterwarnings("ignore:unclosed <StreamWriter:ResourceWarning"),
]

ACK_WAIT = 2
LIMITS: dict[str, Any] = {"slots": 1, "max_deliveries": 2, "ack_wait_seconds": ACK_WAIT}


async def test_a_worker_keeps_a_unit_whose_losses_it_cannot_count(
    cluster: NatsCluster, stage: EmptyStage, blobs: Blobs
) -> None:
    async with (
        cluster.provisioned() as watching,
        cluster.connected("one") as one,
        cluster.connected("other") as other,
    ):
        # On one server alone, the ledger has no leader as long as that one is away.
        ledger = (await watching.jetstream.stream_info(subjects.RETURNS)).config
        await watching.jetstream.update_stream(ledger.evolve(num_replicas=1))
        await submit(watching)
        # Its worker is never heard of again.
        await take(watching, ACK_WAIT)
        alone = cluster.servers[await leader_of(watching, subjects.RETURNS)]
        await alone.stop(kill=True)
        await _until_led(cluster)
        async with worker(one, stage, blobs, **LIMITS), worker(other, stage, blobs, **LIMITS):
            while await deliveries(watching) < 2:
                await asyncio.sleep(0.1)
            await asyncio.sleep(ACK_WAIT * 3)
            assert await deliveries(watching) == 2
            await alone.start()
            assert (await next_event(watching)).HasField("completed")
            assert await queue_is_empty(watching)
    assert stage.runs == [(UNIT, 1)]


async def _until_led(cluster: NatsCluster) -> None:
    """Waits until a leader answers who can make consumers."""
    async with open_broker(cluster.url, "patient", rides_out=True) as patient:
        await declare_lanes(patient, BINDING.slug, ACK_WAIT)
