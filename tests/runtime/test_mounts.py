"""A stage behind gRPC and JetStream: what becomes of its units."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from maie.asr.v1 import asr_pb2 as asr
from maie.asr.v1 import asr_pb2_grpc
from maie_core.errors import OUTCOMES, Code, Settle, StageError
from maie_core.reasons import Reason
from maie_core.settings import MeshSettings, ServiceSettings
from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.claim import FRESH
from maie_runtime.worker import unit
from maie_runtime.worker.server import serve_stage
from maie_runtime.worker.stage import StageContext
from maie_runtime.worker.unit import START_SECONDS
from tests.conftest import NatsServer
from tests.empty_stages import EmptyStage, empty_stages
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


async def test_a_unit_ends_in_a_stored_result_and_one_event(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    async with worker(broker, stage, blobs):
        await submit(broker)
        told = await next_event(broker)
        assert told.completed.output.key.startswith(f"jobs/{JOB}/{UNIT}-")
        assert (await blobs.get(told.completed.output)).__len__() > 0
        assert await queue_is_empty(broker)


@pytest.mark.parametrize(
    ("raised", "reason", "retryable"),
    [
        (StageError(Code.INVALID_ARGUMENT, Reason.AUDIO_CORRUPT, "Bad."), "AUDIO_CORRUPT", False),
        (
            StageError(Code.UNAVAILABLE, Reason.BLOB_STORE_UNAVAILABLE, "Away."),
            "BLOB_STORE_UNAVAILABLE",
            True,
        ),
        (MemoryError(), "OUT_OF_MEMORY", False),
        (RuntimeError("CUDA failed with error out of memory"), "OUT_OF_MEMORY", False),
        (ZeroDivisionError("secret detail"), "ENGINE_FAILED", True),
    ],
)
async def test_a_failure_is_told_with_its_class(
    broker: Broker,
    stage: EmptyStage,
    blobs: Blobs,
    raised: Exception,
    reason: str,
    retryable: bool,
) -> None:
    async def fails(_: StageContext) -> None:
        raise raised

    stage.hook = fails
    async with worker(broker, stage, blobs):
        await submit(broker)
        failed = (await next_event(broker)).failed
        assert (failed.failure.reason, failed.retryable) == (reason, retryable)
        assert "secret" not in failed.failure.message
        assert await queue_is_empty(broker)


@pytest.mark.parametrize("code", Code)
async def test_each_code_settles_its_unit_as_the_table_says(
    broker: Broker, stage: EmptyStage, blobs: Blobs, code: Code
) -> None:
    async def fails_once(_: StageContext) -> None:
        if len(stage.runs) == 1:
            raise StageError(code, Reason.ENGINE_FAILED, "Failed.")

    stage.hook = fails_once
    async with worker(broker, stage, blobs):
        await submit(broker)
        told = await next_event(broker)
        assert await queue_is_empty(broker)
    settle = OUTCOMES[code].settle
    if settle is Settle.NAK:
        assert (told.WhichOneof("event"), len(stage.runs)) == ("completed", 2)
    else:
        assert (told.failed.failure.code, len(stage.runs)) == (code, 1)
        assert told.failed.retryable == (settle is Settle.RETRY)
    assert await count_events(broker) == 1


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.0, ["completed"]), (4 * START_SECONDS, ["started", "completed"])]
)
async def test_the_start_is_told_of_a_unit_that_takes_a_while(
    broker: Broker,
    stage: EmptyStage,
    blobs: Blobs,
    seconds: float,
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not seconds:
        # So that it takes no while on a busy machine.
        monkeypatch.setattr(unit, "START_SECONDS", PATIENCE_SECONDS)

    async def takes_a_while(_: StageContext) -> None:
        await asyncio.sleep(seconds)

    stage.hook = takes_a_while
    await submit(broker, report_start=True)
    async with worker(broker, stage, blobs):
        assert await queue_is_empty(broker)
    events = [await next_event(broker, number + 1) for number in range(await count_events(broker))]
    assert [each.WhichOneof("event") for each in events] == told


async def test_a_unit_over_its_deadline_is_stopped_and_told(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    async def hangs(_: StageContext) -> None:
        await asyncio.Event().wait()

    stage.hook = hangs
    async with worker(broker, stage, blobs, unit_deadline_seconds=0.1):
        await submit(broker)
        assert (await next_event(broker)).failed.failure.reason == "UNIT_DEADLINE"
        assert stage.stopped == [UNIT]


@pytest.mark.slow
async def test_a_long_unit_stays_with_its_worker(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    async def takes_long(_: StageContext) -> None:
        await asyncio.sleep(4)

    stage.hook = takes_long
    async with worker(broker, stage, blobs, ack_wait_seconds=2, slots=2):
        await submit(broker)
        assert (await next_event(broker)).HasField("completed")
        assert len(stage.runs) == 1


async def test_a_draining_worker_gives_its_unit_to_the_next(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    async def hangs(_: StageContext) -> None:
        await asyncio.Event().wait()

    stage.hook = hangs
    async with worker(broker, stage, blobs):
        await submit(broker)
        while not stage.runs:
            await asyncio.sleep(0.01)
    assert stage.stopped == [UNIT]
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with worker(broker, empty_stages()["asr"], blobs):
            assert (await next_event(broker)).HasField("completed")


async def test_a_superseded_unit_is_dropped(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    await submit(broker, attempt=1)
    await submit(broker, attempt=2)
    await asyncio.sleep(FRESH.total_seconds())
    async with worker(broker, stage, blobs):
        assert await queue_is_empty(broker)
    assert stage.runs == [(UNIT, 2)]


async def test_a_unit_whose_cancellation_overtook_it_is_looked_up(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    overtaken, go_on = JOB.replace("0", "1"), asyncio.Event()

    async def waits(context: StageContext) -> None:
        if context.job_id == JOB:
            await go_on.wait()

    stage.hook = waits
    async with worker(broker, stage, blobs):
        await submit(broker)
        await until(lambda: stage.runs)
        await broker.notify(subjects.cancel(overtaken))
        await broker.client.flush()
        # Cancelled, and taken up again: the first is too young to be looked up otherwise.
        await submit(broker, job_id=overtaken, attempt=1)
        await submit(broker, job_id=overtaken, attempt=2)
        go_on.set()
        assert await queue_is_empty(broker)
    assert stage.runs == [(UNIT, 1), (UNIT, 2)]


async def test_an_unreadable_task_hurts_nobody(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    await broker.jetstream.publish(subjects.task("asr", JOB, UNIT), b"\xff\xff\xff")
    async with worker(broker, stage, blobs):
        assert await queue_is_empty(broker)
        await submit(broker)
        assert (await next_event(broker)).HasField("completed")


async def test_a_service_answers_health_reflection_and_its_rpc(
    broker: Broker, nats_server: NatsServer, stage: EmptyStage, blobs: Blobs, tmp_path: object
) -> None:
    mesh = MeshSettings(
        nats_url=nats_server.url, blob_url=f"file://{tmp_path}/blobs", shutdown_grace_seconds=1
    )
    async with (
        serve_stage(BINDING, ServiceSettings(mesh=mesh), stage.opened) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        health: Any = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=BINDING.service)
        assert (await health.Check(request)).status == health_pb2.HealthCheckResponse.SERVING
        reflection: Any = reflection_pb2_grpc.ServerReflectionStub(channel)  # type: ignore[arg-type]
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        async for answer in reflection.ServerReflectionInfo(iter([asked])):
            names = {service.name for service in answer.list_services_response.service}
            assert BINDING.service in names
        stub = asr_pb2_grpc.AsrServiceStub(channel)
        kinds = [
            response.WhichOneof("update")
            async for response in stub.Transcribe(asr.TranscribeRequest())
        ]
        assert kinds == ["segment", "progress", "result"]


async def test_an_unexpected_error_tells_a_caller_nothing_of_our_insides(
    broker: Broker, nats_server: NatsServer, stage: EmptyStage, tmp_path: object
) -> None:
    async def fails(_: StageContext) -> None:
        raise ZeroDivisionError("secret detail")

    stage.hook = fails
    mesh = MeshSettings(
        nats_url=nats_server.url, blob_url=f"file://{tmp_path}/blobs", shutdown_grace_seconds=1
    )
    async with (
        serve_stage(BINDING, ServiceSettings(mesh=mesh), stage.opened) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        stub = asr_pb2_grpc.AsrServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            async for _ in stub.Transcribe(asr.TranscribeRequest()):
                pass
        assert failed.value.code() is grpc.StatusCode.INTERNAL
        assert "secret" not in str(failed.value)
