"""A unit stays with its worker as long as the stage shows life, and no longer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from maie.asr.v1 import asr_pb2 as asr
from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.direct_get import last_sequence
from maie_runtime.bus.provision import declare_lanes
from maie_runtime.bus.refusals import ReportingClient
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import EmptyStage, empty_stages
from tests.runtime.workers import (
    JOB,
    UNIT,
    count_events,
    next_event,
    queue_is_empty,
    submit,
    take_back,
    worker,
)
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh


class Hang:
    """An engine that goes on whatever is asked of it, until the test is over."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.asked = 0

    async def __call__(self, _: StageContext) -> None:
        while not self.over.is_set():
            try:
                await self.over.wait()
            except asyncio.CancelledError:
                self.asked += 1


@pytest.fixture
async def hang() -> AsyncIterator[Hang]:
    """An engine that hangs until the test is over, however it ends."""
    engine = Hang()
    yield engine
    engine.over.set()


async def test_a_stage_without_a_sign_of_life_is_stopped_and_tried_again(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    async def hangs(_: StageContext) -> None:
        await asyncio.Event().wait()

    stage.hook = hangs
    async with worker(broker, stage, blobs, stall_seconds=0.2):
        await submit(broker)
        failed = (await next_event(broker)).failed
        assert (failed.failure.reason, failed.retryable) == ("STALLED", True)
        assert stage.stopped == [UNIT]
        assert await queue_is_empty(broker)


async def test_a_unit_that_waits_for_its_turn_does_not_stall(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    async def takes_long(_: StageContext) -> None:
        await asyncio.sleep(2)

    stage.hook = takes_long
    suspect = JOB.replace("0", "1")
    await submit(broker, job_id=suspect)
    await declare_lanes(broker, "asr", 1)
    pull = await broker.jetstream.pull_subscribe_bind("asr-batch", subjects.TASKS)
    # Its first worker took it and died.
    await pull.fetch(1)
    await pull.unsubscribe()
    limits: dict[str, Any] = {
        "stall_seconds": 3.0,
        "unit_deadline_seconds": 3.2,
        "ack_wait_seconds": 1,
    }
    async with worker(broker, stage, blobs, slots=2, **limits):
        await submit(broker, job_id=JOB)
        ends = [await next_event(broker, number) for number in (1, 2)]
    assert {end.WhichOneof("event") for end in ends} == {"completed"}


async def test_every_response_is_a_sign_of_life(broker: Broker, blobs: Blobs) -> None:
    class Slow(EmptyStage):
        async def run(self, request, context):
            async for response in super().run(request, context):
                await asyncio.sleep(0.8)
                yield response

    slow = Slow(answer=empty_stages()["asr"].answer)
    async with worker(broker, slow, blobs, stall_seconds=2):
        await submit(broker)
        # Three responses: more than the stall in all, less between two.
        assert (await next_event(broker)).HasField("completed")


async def test_a_sign_of_life_without_a_response_is_enough(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    async def thinks(context: StageContext) -> None:
        for _ in range(30):
            await asyncio.sleep(0.1)
            context.heartbeat()

    stage.hook = thinks
    async with worker(broker, stage, blobs, stall_seconds=2):
        await submit(broker)
        # More than the stall in all, far less between two.
        assert (await next_event(broker)).HasField("completed")


@pytest.mark.parametrize("happen", [take_back, partial(submit, attempt=2)])
async def test_a_unit_that_is_not_wanted_any_more_is_stopped_without_word_of_it(
    broker: Broker,
    stage: EmptyStage,
    blobs: Blobs,
    happen: Callable[[Broker], Awaitable[None]],
) -> None:
    async def hangs_at_first(context: StageContext) -> None:
        if context.attempt == 1:
            await asyncio.Event().wait()

    stage.hook = hangs_at_first
    async with worker(broker, stage, blobs, ack_wait_seconds=1):
        await submit(broker)
        await until(lambda: stage.runs)
        # Only the queue says so: the message to workers was lost.
        await happen(broker)
        await until(lambda: stage.stopped)
        assert await queue_is_empty(broker)
    assert stage.stopped == [UNIT]
    assert await count_events(broker) == len(stage.runs) - 1


async def test_word_of_a_cancellation_stops_a_unit_at_once_and_the_next_runs(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    async def hangs(context: StageContext) -> None:
        if context.job_id == JOB:
            await asyncio.Event().wait()

    stage.hook = hangs
    # Only the message shows it: each heartbeat looks into the queue.
    async with worker(broker, stage, blobs, ack_wait_seconds=100 * PATIENCE_SECONDS):
        await submit(broker)
        await until(lambda: stage.runs)
        began = time.monotonic()
        await broker.notify(subjects.cancel(JOB))
        await until(lambda: stage.stopped)
        print(f"stopped after {(time.monotonic() - began) * 1e3:.1f} ms")
        await submit(broker, job_id=JOB.replace("0", "1"))
        assert (await next_event(broker)).HasField("completed")


async def test_a_worker_whose_engine_does_not_stop_leaves_its_units_to_others(
    broker: Broker, stage: EmptyStage, blobs: Blobs, hang: Hang
) -> None:
    left = asyncio.Event()
    stage.hook = hang
    async with worker(
        broker,
        stage,
        blobs,
        abandon=left.set,
        slots=2,
        ack_wait_seconds=600,
        stall_seconds=0.5,
        cancel_grace_seconds=0.2,
    ):
        await submit(broker, "asr.0000")
        failed = (await next_event(broker)).failed
        assert (failed.failure.reason, failed.retryable) == ("STALLED", True)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await left.wait()
        assert hang.asked == 1
        assert await queue_is_empty(broker)


async def test_a_neighbour_of_a_hung_unit_goes_to_another_worker_at_once(
    broker: Broker, stage: EmptyStage, blobs: Blobs, hang: Hang
) -> None:
    left = asyncio.Event()
    neighbour_job = JOB.replace("0", "1")

    async def hook(context: StageContext) -> None:
        await (hang(context) if context.job_id == JOB else asyncio.Event().wait())

    stage.hook = hook
    limits: dict[str, Any] = {"slots": 2, "ack_wait_seconds": 600, "cancel_grace_seconds": 0.2}
    async with worker(broker, stage, blobs, abandon=left.set, **limits):
        await submit(broker)
        await submit(broker, job_id=neighbour_job)
        await until(lambda: len(stage.runs) == 2)
        other = empty_stages()["asr"]
        async with worker(broker, other, blobs, ack_wait_seconds=600):
            await broker.notify(subjects.cancel(JOB))
            told = await next_event(broker)
        assert left.is_set()
        assert (told.job_id, told.WhichOneof("event")) == (neighbour_job, "completed")


async def test_an_engine_that_cancels_itself_costs_its_unit_only(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    async def cancels_itself(_: StageContext) -> None:
        if len(stage.runs) == 1:
            raise asyncio.CancelledError

    stage.hook = cancels_itself
    async with worker(broker, stage, blobs):
        await submit(broker)
        assert (await next_event(broker)).failed.failure.reason == "ENGINE_FAILED"
        await submit(broker, attempt=2)
        assert (await next_event(broker, 2)).HasField("completed")


def test_the_empty_stage_gives_three_signs_of_life() -> None:
    """The arithmetic of the test above rests on it."""
    context = StageContext(job_id=JOB, unit=UNIT, attempt=1, blobs=None, folder="jobs/test")  # type: ignore[arg-type]
    assert len(empty_stages()["asr"].answer(asr.TranscribeRequest(), context, 1)) == 3


async def test_a_task_that_a_copy_lacks_for_a_moment_runs_all_the_same(
    broker: Broker, stage: EmptyStage, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = [None, None]

    async def of_a_copy(client: ReportingClient, stream: str, subject: str) -> int | None:
        return behind.pop() if behind else await last_sequence(client, stream, subject)

    monkeypatch.setattr("maie_runtime.bus.claim.last_sequence", of_a_copy)
    monkeypatch.setattr("maie_runtime.bus.claim.FRESH", timedelta(0))
    async with worker(broker, stage, blobs):
        await submit(broker)
        assert (await next_event(broker)).HasField("completed")
        assert await queue_is_empty(broker)
    assert (behind, stage.runs) == ([], [(UNIT, 1)])
