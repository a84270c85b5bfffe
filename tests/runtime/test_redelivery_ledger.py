"""A unit is given up for workers that it lost, not for workers that gave it back in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from nats.js.api import DiscardPolicy

from maie_core.errors import BusyError, StageError, invalid
from maie_core.reasons import Reason
from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.redelivery_ledger import RedeliveryLedger
from maie_runtime.worker.stage import StageContext
from tests.conftest import NatsServer
from tests.empty_stages import EmptyStage, empty_stages
from tests.runtime.workers import (
    UNIT,
    deliveries,
    next_event,
    queue_is_empty,
    submit,
    take,
    worker,
)
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

ACK_WAIT = 2


async def _hang(_: StageContext) -> None:
    await asyncio.Event().wait()


async def _drain_worker(broker: Broker, blobs: Blobs) -> None:
    """A worker takes the unit, is stopped in the middle of it, and returns it."""
    stage = empty_stages()["asr"]
    stage.hook = _hang
    async with worker(broker, stage, blobs, max_deliveries=2, ack_wait_seconds=ACK_WAIT):
        await until(lambda: stage.runs)
    assert stage.stopped == [UNIT]


@asynccontextmanager
async def _full(broker: Broker, *streams: str) -> AsyncIterator[None]:
    """The broker refuses to store anything more in some streams, as on a full disk."""
    there = [(await broker.jetstream.stream_info(stream)).config for stream in streams]
    for config in there:
        full = config.evolve(max_bytes=1, discard=DiscardPolicy.NEW)
        await broker.jetstream.update_stream(full)
    yield
    for config in there:
        await broker.jetstream.update_stream(config)


async def _lose_worker(broker: Broker) -> None:
    await take(broker, ACK_WAIT)
    await asyncio.sleep(ACK_WAIT * 1.2)


async def test_rolling_restarts_do_not_lose_a_long_unit(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    await submit(broker)
    for _ in range(6):
        await _drain_worker(broker, blobs)
    async with worker(broker, stage, blobs, max_deliveries=2):
        assert (await next_event(broker)).HasField("completed")
        assert await queue_is_empty(broker)


async def test_a_unit_that_was_given_back_is_no_suspect(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    together = asyncio.Barrier(2)

    async def meet(_: StageContext) -> None:
        await together.wait()

    stage.hook = meet
    await submit(broker)
    await _drain_worker(broker, blobs)
    await submit(broker, UNIT, "asr.0001")
    async with worker(broker, stage, blobs, slots=2):
        ends = [await next_event(broker, number) for number in (1, 2)]
    assert {end.WhichOneof("event") for end in ends} == {"completed"}


@pytest.mark.slow
async def test_drains_in_between_hide_no_loss(broker: Broker, blobs: Blobs) -> None:
    await submit(broker)
    await _lose_worker(broker)
    await _drain_worker(broker, blobs)
    await _lose_worker(broker)
    stage = empty_stages()["asr"]
    async with worker(broker, stage, blobs, max_deliveries=2, ack_wait_seconds=ACK_WAIT):
        failed = (await next_event(broker)).failed
        assert (failed.failure.reason, failed.retryable) == ("WORKER_LOST", False)
        assert "2 times" in failed.failure.message
        assert await queue_is_empty(broker)
    assert stage.runs == []


async def test_a_unit_that_rests_before_it_is_tried_again_is_not_lost(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    async with worker(broker, stage, blobs, max_deliveries=1):
        began = time.monotonic()
        await submit(broker, pause=timedelta(seconds=1))
        assert (await next_event(broker)).HasField("completed")
    assert time.monotonic() - began >= 0.9
    assert stage.runs == [(UNIT, 1)]


async def test_a_unit_that_finds_no_room_comes_again_however_often(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    async def busy(_: StageContext) -> None:
        if len(stage.runs) <= 3:
            raise BusyError("There is no room; try again later.", timedelta(seconds=0.05))

    stage.hook = busy
    async with worker(broker, stage, blobs, max_deliveries=1):
        await submit(broker)
        assert (await next_event(broker)).HasField("completed")
        assert await queue_is_empty(broker)
    assert stage.runs == [(UNIT, 1)] * 4


async def test_what_was_given_back_is_remembered_over_a_restart_of_the_broker(
    nats_server: NatsServer, broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    await submit(broker)
    for _ in range(2):
        await _drain_worker(broker, blobs)
    await nats_server.stop(kill=True)
    await nats_server.start()
    await until(lambda: broker.connected)
    await _drain_worker(broker, blobs)
    async with worker(broker, stage, blobs, max_deliveries=1, ack_wait_seconds=ACK_WAIT):
        assert (await next_event(broker)).HasField("completed")


async def test_a_note_counts_once_and_for_its_own_delivery(broker: Broker) -> None:
    ledger = RedeliveryLedger(broker)
    await submit(broker)
    first = await take(broker, ACK_WAIT)
    assert await ledger.losses(first) == 0
    await ledger.give_back(first)
    second = await take(broker, ACK_WAIT)
    assert await ledger.losses(second) == 0
    await asyncio.sleep(ACK_WAIT * 1.2)
    third = await take(broker, ACK_WAIT)
    assert (third.metadata.num_delivered, await ledger.losses(third)) == (3, 1)


async def test_the_same_unit_published_anew_begins_anew(broker: Broker) -> None:
    ledger = RedeliveryLedger(broker)
    await submit(broker, UNIT)
    await ledger.give_back(await take(broker, ACK_WAIT))
    await (await take(broker, ACK_WAIT)).ack()
    await submit(broker, UNIT, attempt=2)
    await _lose_worker(broker)
    again = await take(broker, ACK_WAIT)
    assert (again.metadata.num_delivered, await ledger.losses(again)) == (2, 1)


@pytest.mark.slow
async def test_a_unit_stays_with_its_worker_until_its_end_could_be_told(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    async def fails(_: StageContext) -> None:
        raise invalid(Reason.AUDIO_CORRUPT, "This is no audio.")

    stage.hook = fails
    async with worker(broker, stage, blobs, slots=2, ack_wait_seconds=ACK_WAIT):
        async with _full(broker, subjects.EVENTS):
            await submit(broker)
            await until(lambda: stage.runs)
            await asyncio.sleep(ACK_WAIT * 2.5)
            assert await deliveries(broker) == 1
        assert (await next_event(broker)).failed.failure.reason == "AUDIO_CORRUPT"
        assert await queue_is_empty(broker)
    assert stage.runs == [(UNIT, 1)]


async def test_a_unit_in_hand_is_not_run_beside_itself(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    async def holds_everything_up(_: StageContext) -> None:
        time.sleep(ACK_WAIT * 1.5)  # noqa: ASYNC251 - no heartbeat can be sent meanwhile
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await deliveries(broker) < 2:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)

    stage.hook = holds_everything_up
    await submit(broker)
    async with worker(broker, stage, blobs, slots=2, max_deliveries=1, ack_wait_seconds=ACK_WAIT):
        assert (await next_event(broker)).HasField("completed")
        assert await queue_is_empty(broker)
    assert stage.runs == [(UNIT, 1)]


@pytest.mark.slow
async def test_what_a_full_broker_took_from_a_worker_is_no_loss(
    broker: Broker, blobs: Blobs
) -> None:
    ledger = RedeliveryLedger(broker)
    await submit(broker)
    async with _full(broker, subjects.RETURNS):
        await ledger.give_back(await take(broker, ACK_WAIT))
        ledger.owe(await take(broker, ACK_WAIT))
        with pytest.raises(StageError, match="does not answer"):
            await ledger.record_owed()
    await asyncio.sleep(ACK_WAIT * 1.2)
    third = await take(broker, ACK_WAIT)
    assert await RedeliveryLedger(broker).losses(third) == 2
    await ledger.record_owed()
    assert await RedeliveryLedger(broker).losses(third) == 0


async def test_the_leader_counts_and_no_copy_which_may_be_behind(broker: Broker) -> None:
    there = (await broker.jetstream.stream_info(subjects.RETURNS)).config
    # Without direct reads, the leader alone answers.
    await broker.jetstream.update_stream(there.evolve(allow_direct=False))
    ledger = RedeliveryLedger(broker)
    await submit(broker)
    await (await take(broker, ACK_WAIT)).nak()
    second = await take(broker, ACK_WAIT)
    assert await ledger.losses(second) == 1
    await ledger.give_back(second)
    third = await take(broker, ACK_WAIT)
    assert (third.metadata.num_delivered, await ledger.losses(third)) == (3, 1)


@pytest.mark.slow
async def test_no_unit_is_given_up_before_those_who_live_had_time_to_record_it(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    await submit(broker)
    first = await take(broker, ACK_WAIT)
    await first.nak()
    # A long ack_wait, so that a busy machine records the first delivery within it.
    async with worker(broker, stage, blobs, max_deliveries=1, ack_wait_seconds=ACK_WAIT * 5):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (await broker.jetstream.stream_info(subjects.RETURNS)).state.messages:
                await asyncio.sleep(0.02)
        await RedeliveryLedger(broker).record(first)
        assert (await next_event(broker)).HasField("completed")
        assert await queue_is_empty(broker)
    assert stage.runs == [(UNIT, 1)]
