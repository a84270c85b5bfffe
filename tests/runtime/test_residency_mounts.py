"""Units and calls of a service that shares a GPU wait for its turn, and for nothing worse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from maie.asr.v1 import asr_pb2 as asr
from maie.asr.v1 import asr_pb2_grpc
from maie_core.settings import GpuServiceSettings, MeshSettings
from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.task_worker import TaskWorker
from maie_runtime.worker.server import serve_stage
from maie_runtime.worker.stage import StageContext
from tests.conftest import NatsServer
from tests.empty_stages import EmptyStage, empty_stages
from tests.runtime.gpus import GPU, TTL, another_broker, forget_soon, open_lease
from tests.runtime.models import Memory, NotedModel, modelled, shared
from tests.runtime.workers import (
    BINDING,
    JOB,
    UNIT,
    count_events,
    next_event,
    queue_is_empty,
    submit,
    worker,
)
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

UNITS = [f"asr.{number:04d}" for number in range(5)]
LONG_ENOUGH = 1.0


@pytest_asyncio.fixture(autouse=True)
async def _forgetful(broker: Broker) -> None:
    await forget_soon(broker)


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def model(memory: Memory) -> NotedModel:
    return NotedModel(name="asr", memory=memory)


@pytest.fixture
async def other(broker: Broker, nats_server: NatsServer) -> AsyncIterator[Broker]:
    async with another_broker(nats_server) as opened:
        yield opened


@asynccontextmanager
async def sharing(
    broker: Broker, stage: EmptyStage, blobs: Blobs, model: NotedModel, **options: Any
) -> AsyncIterator[TaskWorker]:
    """A worker that shares the GPU and has no turn as yet."""
    async with shared(broker, model, **options) as residency:
        await until(lambda: not model.memory.inside)
        model.memory.history.clear()
        chosen = {"ack_wait_seconds": 3, **options}
        async with worker(broker, stage, blobs, residency=residency, **chosen) as mount:
            yield mount


@asynccontextmanager
async def elsewhere(broker: Broker) -> AsyncIterator[None]:
    """The GPU is another's."""
    async with open_lease(broker, "elsewhere") as lease:
        hold = await lease.acquire()
        try:
            yield
        finally:
            await hold.release()


async def in_hand(broker: Broker) -> int:
    name = subjects.worker_consumer(BINDING.slug)
    return (await broker.jetstream.consumer_info(subjects.TASKS, name)).num_ack_pending or 0


async def one_in_hand(broker: Broker) -> None:
    """Waits until one unit, and no other, is with a worker."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await in_hand(broker) != 1:
            await asyncio.sleep(0.02)


async def test_units_run_in_a_turn_with_the_model_in_memory(
    broker: Broker, stage: EmptyStage, blobs: Blobs, memory: Memory, model: NotedModel
) -> None:
    async def needs_the_model(_: StageContext) -> None:
        assert memory.inside == {"asr"}

    stage.hook = needs_the_model
    await submit(broker, *UNITS)
    async with sharing(broker, stage, blobs, model, slots=2, lease_seconds=2):
        for number in range(len(UNITS)):
            assert (await next_event(broker, number + 1)).HasField("completed")
        assert await queue_is_empty(broker)
    # One turn for all of them.
    assert memory.history == ["asr loaded", "asr unloaded"]


async def test_one_unit_waits_for_the_turn_and_others_can_have_the_rest(
    broker: Broker, other: Broker, stage: EmptyStage, blobs: Blobs, model: NotedModel
) -> None:
    async with sharing(broker, stage, blobs, model, slots=3):
        async with elsewhere(other):
            await submit(broker, *UNITS)
            await one_in_hand(broker)
            await asyncio.sleep(LONG_ENOUGH)
            assert await in_hand(broker) == 1
            assert stage.runs == []
            free = empty_stages()["asr"]
            async with worker(other, free, blobs):
                await until(lambda: len(free.runs) == len(UNITS) - 1)
                await one_in_hand(broker)  # its last acknowledgement comes after the run
        assert await queue_is_empty(broker)
    assert sorted(stage.runs + free.runs) == [(unit, 1) for unit in UNITS]


async def test_batch_work_is_found_also_where_a_slot_is_reserved(
    broker: Broker, stage: EmptyStage, blobs: Blobs, model: NotedModel
) -> None:
    async with sharing(broker, stage, blobs, model, slots=2, interactive_slots=1):
        await submit(broker)
        assert (await next_event(broker)).HasField("completed")


async def test_interactive_work_that_comes_while_batch_work_waits_is_done_in_the_same_turn(
    broker: Broker,
    other: Broker,
    stage: EmptyStage,
    blobs: Blobs,
    memory: Memory,
    model: NotedModel,
) -> None:
    options = {"slots": 2, "interactive_slots": 1, "lease_seconds": 2}
    async with sharing(broker, stage, blobs, model, **options):
        async with elsewhere(other):
            await submit(broker)
            await one_in_hand(broker)
            await submit(broker, UNITS[1], job_id=f"{JOB[:-1]}1", lane=subjects.INTERACTIVE)
        assert await queue_is_empty(broker)
    assert memory.history == ["asr loaded", "asr unloaded"]


@pytest.mark.slow
async def test_to_wait_is_neither_a_stall_nor_time_of_the_unit_nor_a_silence(
    broker: Broker, other: Broker, stage: EmptyStage, blobs: Blobs, model: NotedModel
) -> None:
    limits = {"stall_seconds": 1.5, "unit_deadline_seconds": 1.5, "ack_wait_seconds": 2}
    async with sharing(broker, stage, blobs, model, **limits):
        async with elsewhere(other):
            await submit(broker)
            await asyncio.sleep(3)
        told = await next_event(broker)
        assert told.HasField("completed")
        assert told.completed.metrics.processing_duration.ToTimedelta().total_seconds() < 1.5
        assert await queue_is_empty(broker)
    assert stage.runs == [(UNIT, 1)]
    assert await count_events(broker) == 1


async def test_a_unit_whose_job_is_cancelled_waits_no_more(
    broker: Broker, other: Broker, stage: EmptyStage, blobs: Blobs, model: NotedModel
) -> None:
    async with sharing(broker, stage, blobs, model), elsewhere(other):
        await submit(broker)
        await one_in_hand(broker)
        await broker.notify(subjects.cancel(JOB))
        assert await queue_is_empty(broker)
    assert stage.runs == []


async def test_a_worker_that_stops_gives_the_waiting_unit_back_at_once(
    broker: Broker, other: Broker, stage: EmptyStage, blobs: Blobs, model: NotedModel
) -> None:
    free = empty_stages()["asr"]
    async with AsyncExitStack() as stack:
        async with sharing(broker, stage, blobs, model, ack_wait_seconds=600):
            await stack.enter_async_context(elsewhere(other))
            await submit(broker)
            await one_in_hand(broker)
        async with worker(other, free, blobs, ack_wait_seconds=600, max_deliveries=1):
            assert (await next_event(broker)).HasField("completed")
    assert stage.runs == []


async def test_a_unit_whose_gpu_is_lost_fails_for_now_and_the_model_goes(
    broker: Broker, stage: EmptyStage, blobs: Blobs, memory: Memory, model: NotedModel
) -> None:
    async def wait(_: StageContext) -> None:
        await asyncio.Event().wait()

    stage.hook = wait
    async with sharing(broker, stage, blobs, model):
        await submit(broker)
        await until(lambda: stage.runs)
        await broker.jetstream.purge_stream(subjects.bucket_stream(subjects.GPUS))
        told = await next_event(broker)
        assert (told.failed.failure.reason, told.failed.retryable) == ("GPU_LOST", True)
        await until(lambda: not memory.inside)
        assert stage.stopped == [UNIT]
        assert await queue_is_empty(broker)


@pytest.mark.slow
async def test_a_service_starts_and_answers_calls_in_its_turns(
    nats_server: NatsServer, other: Broker, memory: Memory, model: NotedModel, tmp_path: Path
) -> None:
    stage = modelled(empty_stages()["asr"], model)

    async def needs_the_model(_: StageContext) -> None:
        assert memory.inside == {"asr"}

    stage.hook = needs_the_model
    mesh = MeshSettings(nats_url=nats_server.url, blob_url=tmp_path.as_uri())
    settings = GpuServiceSettings(mesh=mesh, residency="shared-gpu", gpu=GPU, lease_seconds=0.3)

    @asynccontextmanager
    async def opened(_: Blobs) -> AsyncIterator[EmptyStage]:
        await model.load()
        yield stage
        assert not memory.inside, "the stage ended before its model went"

    with capture_logs() as logs:
        async with (
            serve_stage(BINDING, settings, opened) as address,
            grpc.aio.insecure_channel(address) as channel,
        ):
            stub = asr_pb2_grpc.AsrServiceStub(channel)
            async with elsewhere(other):
                call = stub.Transcribe(asr.TranscribeRequest())
                reading = asyncio.ensure_future(anext(aiter(call)))
                await asyncio.sleep(TTL)
                assert not reading.done()
                assert not memory.inside
            await reading
            assert [response async for response in call]
    assert [line["event"] for line in logs if line["event"].startswith("model.")] == [
        "model.loaded",
        "model.unloaded",
        "model.loaded",
        "model.unloaded",
    ]
