"""What a worker's heartbeats say of it, and what of a broker that takes none."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from maie_runtime.background import background_tasks
from maie_runtime.blobs import Blobs
from maie_runtime.bus import claim, subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.claim import Claim
from maie_runtime.bus.redelivery_ledger import RedeliveryLedger
from maie_runtime.bus.rights import OPERATOR
from maie_runtime.worker.stage import StageContext
from tests.conftest import NatsServer
from tests.empty_stages import EmptyStage
from tests.guarded_nats import GuardedNats
from tests.runtime.workers import BINDING, CONSUMER, next_event, submit, take, worker
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

ACK_WAIT = 2
BEATS = 2


class Heartbeats:
    """Counts the heartbeats that workers send."""

    def __init__(self) -> None:
        self.count = 0

    async def listen(self, broker: Broker) -> None:
        """Listens to what workers say of their tasks."""
        await broker.client.subscribe(f"$JS.ACK.{subjects.TASKS}.{CONSUMER}.>", cb=self._on_message)

    async def _on_message(self, message: Msg) -> None:
        self.count += message.data == Msg.Ack.Progress


@pytest.fixture
async def heartbeats(broker: Broker) -> Heartbeats:
    """The heartbeats of this broker's workers."""
    made = Heartbeats()
    await made.listen(broker)
    return made


async def test_a_worker_whose_heartbeats_nobody_took_is_not_lost(
    nats_server: NatsServer, broker: Broker
) -> None:
    ledger = RedeliveryLedger(broker)
    await submit(broker)
    first = await take(broker, ACK_WAIT)
    kept = Claim(broker.client, first, ledger, ACK_WAIT)
    async with background_tasks(kept.keep()):
        # Not killed: a server stores what it delivered a moment later.
        await nats_server.stop()
        await asyncio.sleep(ACK_WAIT * 2)
        await nats_server.start()
        await until(lambda: ledger.owes)
    async with background_tasks(ledger.keep_recording()):
        await until(lambda: not ledger.owes)
    second = await take(broker, ACK_WAIT)
    assert (second.metadata.num_delivered, await ledger.losses(second)) == (2, 0)


@pytest.mark.slow
async def test_a_worker_that_blocks_its_process_and_dies_is_lost(
    broker: Broker, heartbeats: Heartbeats
) -> None:
    ledger = RedeliveryLedger(broker)
    await submit(broker)
    first = await take(broker, ACK_WAIT)
    # So long that an answer comes in time on a busy machine, too.
    ack_wait = ACK_WAIT * 3
    async with background_tasks(Claim(broker.client, first, ledger, ack_wait).keep()):
        await until(lambda: heartbeats.count)
        time.sleep(ack_wait * 1.1)  # noqa: ASYNC251 - no heartbeat can be sent meanwhile
        enough = heartbeats.count + BEATS
        await until(lambda: heartbeats.count >= enough)
    assert not ledger.owes
    second = await take(broker, ACK_WAIT)
    assert (second.metadata.num_delivered, await ledger.losses(second)) == (2, 1)


async def test_a_look_into_the_queue_that_is_not_answered_delays_no_heartbeat(
    broker: Broker,
    heartbeats: Heartbeats,
    stage: EmptyStage,
    blobs: Blobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = 0

    async def unanswered(*_: object) -> None:
        nonlocal looks
        looks += 1
        await asyncio.Event().wait()

    async def takes_long(_: StageContext) -> None:
        await until(lambda: looks)
        enough = heartbeats.count + BEATS
        await until(lambda: heartbeats.count >= enough)

    stage.hook = takes_long
    monkeypatch.setattr(claim, "last_sequence", unanswered)
    monkeypatch.setattr(claim, "FRESH", timedelta.max)
    monkeypatch.setattr(claim, "HEARTBEATS_PER_ACK_WAIT", 10 * PATIENCE_SECONDS)
    async with worker(broker, stage, blobs, ack_wait_seconds=PATIENCE_SECONDS):
        await submit(broker)
        assert (await next_event(broker)).HasField("completed")
    assert looks == 1


async def test_heartbeats_with_the_credential_of_a_stage_are_answered(tmp_path: Path) -> None:
    server = GuardedNats(tmp_path)
    await server.start()
    try:
        async with server.provisioned(), server.connected(OPERATOR) as operator:
            await submit(operator)
            async with server.connected(BINDING.slug) as own:
                pull = await own.jetstream.pull_subscribe_bind(CONSUMER, subjects.TASKS)
                (task,) = await pull.fetch(1, timeout=PATIENCE_SECONDS)
                await Claim(own.client, task, RedeliveryLedger(own), PATIENCE_SECONDS).beat()
        assert server.violations() == []
    finally:
        await server.stop()
