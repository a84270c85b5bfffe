"""Interactive work goes first, work begins at once, and waiting costs little."""

from __future__ import annotations

import asyncio
import statistics
import time

import pytest
from pydantic import ValidationError

from maie_core.settings import ServiceSettings
from maie_gateway.care.streams import keep_streams
from maie_runtime.background import background_tasks
from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects, task_puller
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.provision import Wanted
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import EmptyStage
from tests.runtime.workers import queue_is_empty, submit, worker
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

BATCH_UNITS = [f"asr.{number:04d}" for number in range(8)]
INTERACTIVE_UNITS = [f"asr.{number:04d}" for number in range(100, 104)]
BATCH_JOB = "01900000-0000-7000-8000-00000000000b"
INTERACTIVE_JOB = "01900000-0000-7000-8000-00000000000a"
# Between two looks that nothing calls for; far more than it takes to begin, on any machine.
POLL_SECONDS = 10.0


async def submit_both(broker: Broker) -> None:
    await submit(broker, *BATCH_UNITS, job_id=BATCH_JOB)
    await submit(broker, *INTERACTIVE_UNITS, job_id=INTERACTIVE_JOB, lane=subjects.INTERACTIVE)


async def test_interactive_work_goes_before_batch_work_that_came_first(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    await submit_both(broker)
    async with worker(broker, stage, blobs):
        assert await queue_is_empty(broker)
    assert [unit for unit, _ in stage.runs] == INTERACTIVE_UNITS + BATCH_UNITS


async def test_interactive_work_waits_for_no_more_than_the_unit_in_hand(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    async def takes_a_moment(_: StageContext) -> None:
        await asyncio.sleep(0.1)

    stage.hook = takes_a_moment
    await submit(broker, *BATCH_UNITS, job_id=BATCH_JOB)
    async with worker(broker, stage, blobs):
        await until(lambda: len(stage.runs) >= 2)
        await submit(broker, INTERACTIVE_UNITS[0], job_id=INTERACTIVE_JOB, lane="interactive")
        begun = len(stage.runs)
        await until(lambda: (INTERACTIVE_UNITS[0], 1) in stage.runs)
    assert [unit for unit, _ in stage.runs].index(INTERACTIVE_UNITS[0]) <= begun + 1


async def test_a_reserved_slot_takes_no_batch_work(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    async def holds_batch_work(context: StageContext) -> None:
        if context.job_id == BATCH_JOB:
            await asyncio.Event().wait()

    stage.hook = holds_batch_work
    async with worker(broker, stage, blobs, slots=2, interactive_slots=1):
        await submit(broker, *BATCH_UNITS[:2], job_id=BATCH_JOB)
        await until(lambda: stage.runs)
        await submit(broker, INTERACTIVE_UNITS[0], job_id=INTERACTIVE_JOB, lane="interactive")
        await until(lambda: len(stage.runs) == 2)
        assert stage.runs[1] == (INTERACTIVE_UNITS[0], 1)


def test_not_every_slot_can_be_reserved() -> None:
    with pytest.raises(ValidationError, match="less than slots"):
        ServiceSettings(slots=2, interactive_slots=2)


async def test_an_idle_worker_begins_a_task_at_once(
    broker: Broker, stage: EmptyStage, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_puller, "POLL_SECONDS", POLL_SECONDS)
    began: asyncio.Queue[float] = asyncio.Queue()
    delays = []

    async def note(_: StageContext) -> None:
        began.put_nowait(time.monotonic())

    stage.hook = note
    async with worker(broker, stage, blobs, slots=2):
        for number in range(20):
            lane = (subjects.BATCH, subjects.INTERACTIVE)[number % 2]
            submitted = time.monotonic()
            await submit(broker, job_id=f"{BATCH_JOB[:-2]}{number:02d}", lane=lane)
            async with asyncio.timeout(PATIENCE_SECONDS):
                delays.append(await began.get() - submitted)
    print(f"submit to start: p50 {statistics.median(delays) * 1e3:.1f} ms")
    assert statistics.median(delays) < POLL_SECONDS / 2


async def test_every_task_of_a_burst_is_taken_at_once_by_many_workers(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    units = [f"asr.{number:04d}" for number in range(60)]
    async with (
        worker(broker, stage, blobs, slots=4, ack_wait_seconds=600),
        worker(broker, stage, blobs, slots=4, ack_wait_seconds=600),
    ):
        for start in range(0, 60, 6):
            await submit(broker, *units[start : start + 6], job_id=f"{BATCH_JOB[:-2]}{start:02d}")
        # A task that a pull had swallowed would come back in ten minutes only.
        assert await queue_is_empty(broker)
    assert sorted(unit for unit, _ in stage.runs) == units


async def test_workers_that_come_and_go_swallow_no_task(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    for number in range(10):
        async with worker(broker, stage, blobs, slots=2, ack_wait_seconds=600):
            await submit(broker, job_id=f"{BATCH_JOB[:-2]}{number:02d}")
    async with worker(broker, stage, blobs, ack_wait_seconds=600):
        assert await queue_is_empty(broker)


async def test_an_idle_slot_costs_a_few_small_requests_a_second(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    async with worker(broker, stage, blobs, slots=2):
        await asyncio.sleep(0.5)
        began = time.monotonic()
        before, sent = broker.client.stats["out_msgs"], broker.client.stats["out_bytes"]
        await until(lambda: broker.client.stats["out_msgs"] >= before + 8)
        await asyncio.sleep(1)
        requests = broker.client.stats["out_msgs"] - before
        assert requests <= 2 * 2 * (time.monotonic() - began + 2)
        assert broker.client.stats["out_bytes"] - sent < requests * 100


async def test_work_goes_on_after_the_consumers_were_lost(
    broker: Broker, stage: EmptyStage, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maie_gateway.care.streams.LOOK_SECONDS", 0.2)
    async with worker(broker, stage, blobs), background_tasks(keep_streams(broker, Wanted())):
        for lane in (subjects.INTERACTIVE, subjects.BATCH):
            name = subjects.worker_consumer("asr", lane)
            await broker.jetstream.delete_consumer(subjects.TASKS, name)
        await submit(broker)
        await until(lambda: stage.runs)
        assert await queue_is_empty(broker)
