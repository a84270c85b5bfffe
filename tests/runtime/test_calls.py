"""A direct call runs like a unit: in a slot, under limits, and never together with a suspect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from maie.asr.v1 import asr_pb2 as asr
from maie.asr.v1 import asr_pb2_grpc
from maie_core.errors import StageError
from maie_core.settings import ServiceSettings
from maie_runtime.blobs import Blobs
from maie_runtime.bus.broker import Broker
from maie_runtime.gpu.residency import Resident
from maie_runtime.rpc.mount import GrpcMount
from maie_runtime.rpc.server import GrpcServer
from maie_runtime.worker.call import RESPONSES_AHEAD, answer
from maie_runtime.worker.host import (
    NO_SLOT_RETRY_AFTER,
    Host,
    Interceptor,
    end_process,
    log_context,
)
from maie_runtime.worker.stage import StageContext
from maie_runtime.worker.work import Work
from tests.empty_stages import EmptyStage
from tests.runtime.workers import BINDING, UNIT, next_event, queue_is_empty, submit, worker
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh


def host_of(
    *,
    abandon: Callable[[], None] = end_process,
    interceptors: tuple[Interceptor, ...] = (log_context,),
    **options: Any,
) -> Host:
    """A host; `options` are settings."""
    return Host(
        settings=ServiceSettings(**options),
        residency=Resident(),
        abandon=abandon,
        interceptors=interceptors,
    )


async def called(host: Host, stage: EmptyStage, blobs: Blobs) -> list[Any]:
    """All responses to one call."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [each async for each in answer(host, stage, asr.TranscribeRequest(), blobs)]


class Gate:
    """A stage's hook that lets work end one by one."""

    def __init__(self, stage: EmptyStage) -> None:
        self.begun: list[str] = []
        self._open = asyncio.Semaphore(0)
        stage.hook = self

    async def __call__(self, context: StageContext) -> None:
        self.begun.append(context.unit)
        await self._open.acquire()

    async def begins(self, count: int) -> None:
        """Waits until so much has begun."""
        await until(lambda: len(self.begun) >= count)

    def let(self, count: int = 1) -> None:
        """Lets so much end."""
        for _ in range(count):
            self._open.release()


async def in_line(host: Host, count: int) -> None:
    """Waits until so many calls wait for a slot."""
    await until(lambda: host.calls_in_line == count)


async def test_a_call_and_a_unit_share_one_slot(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    gate = Gate(stage)
    async with worker(broker, stage, blobs) as mount:
        call = asyncio.create_task(called(mount.host, stage, blobs))
        await gate.begins(1)
        await submit(broker)
        # Longer than it takes to begin a unit, and than a poll.
        await asyncio.sleep(1.5)
        assert gate.begun == ["direct"]
        gate.let()
        assert len(await call) == 3
        await gate.begins(2)
        call = asyncio.create_task(called(mount.host, stage, blobs))
        await in_line(mount.host, 1)
        assert gate.begun == ["direct", UNIT]
        gate.let(2)
        await call
        assert await queue_is_empty(broker)
    assert gate.begun == ["direct", UNIT, "direct"]


async def test_neither_a_backlog_of_units_nor_a_flood_of_calls_shuts_the_other_out(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    gate = Gate(stage)
    async with worker(broker, stage, blobs) as mount:
        await submit(broker, *(f"asr.{number:04d}" for number in range(4)))
        await gate.begins(1)
        calls: list[asyncio.Task[Any]] = []
        for begun in range(2, 9):
            if not mount.host.calls_in_line:
                calls.append(asyncio.create_task(called(mount.host, stage, blobs)))
                await in_line(mount.host, 1)
            gate.let()
            await gate.begins(begun)
        gate.let(2)
        await asyncio.gather(*calls)
        assert await queue_is_empty(broker)
    order = ["call" if unit == "direct" else "unit" for unit in gate.begun]
    assert order[:8] == ["unit", "call"] * 4


async def test_the_line_is_as_long_as_there_are_slots(stage: EmptyStage, blobs: Blobs) -> None:
    host, gate = host_of(slots=2), Gate(stage)
    calls = [asyncio.create_task(called(host, stage, blobs)) for _ in range(4)]
    await in_line(host, 2)
    with pytest.raises(StageError) as refused:
        await called(host, stage, blobs)
    assert (refused.value.reason, refused.value.retry_after) == ("NO_SLOT", NO_SLOT_RETRY_AFTER)
    gate.let(4)
    await asyncio.gather(*calls)
    gate.let()
    assert len(await called(host, stage, blobs)) == 3


async def test_a_call_waits_for_a_slot_no_longer_than_a_stage_may_be_silent(
    stage: EmptyStage, blobs: Blobs
) -> None:
    host = host_of(stall_seconds=1)
    await host.slots.acquire()
    with pytest.raises(StageError) as refused:
        await called(host, stage, blobs)
    assert refused.value.reason == "NO_SLOT"
    host.slots.release()
    assert len(await called(host, stage, blobs)) == 3


@pytest.mark.parametrize(
    ("limit", "reason"),
    [("unit_deadline_seconds", "UNIT_DEADLINE"), ("stall_seconds", "STALLED")],
)
async def test_a_call_obeys_the_limits_of_a_unit(
    stage: EmptyStage, blobs: Blobs, limit: str, reason: str
) -> None:
    Gate(stage)
    limits: dict[str, Any] = {limit: 0.2}
    host = host_of(**limits)
    with pytest.raises(StageError) as ended:
        await called(host, stage, blobs)
    assert ended.value.reason == reason
    assert stage.stopped == ["direct"]
    assert not host.slots.locked()


async def test_a_caller_who_leaves_stops_the_work_and_frees_the_slot(
    stage: EmptyStage, blobs: Blobs
) -> None:
    host, gate = host_of(), Gate(stage)
    call = asyncio.create_task(called(host, stage, blobs))
    await gate.begins(1)
    call.cancel()
    await asyncio.wait({call})
    assert stage.stopped == ["direct"]
    assert not host.slots.locked()


async def test_a_caller_who_does_not_read_loses_his_slot(stage: EmptyStage, blobs: Blobs) -> None:
    plain = stage.answer
    stage.answer = lambda *asked: list(plain(*asked)) * (RESPONSES_AHEAD + 1)
    host = host_of(stall_seconds=1)
    async with aclosing(answer(host, stage, asr.TranscribeRequest(), blobs)) as responses:
        await anext(responses)
        assert host.slots.locked()
        await until(lambda: not host.slots.locked())
        with pytest.raises(StageError) as ended:
            async for _ in responses:
                pass
    assert ended.value.reason == "CALLER_STALLED"


async def test_an_engine_that_does_not_stop_for_a_caller_ends_the_worker(
    broker: Broker, stage: EmptyStage, blobs: Blobs
) -> None:
    left, over = asyncio.Event(), asyncio.Event()

    async def hook(context: StageContext) -> None:
        while context.unit == "direct" and not over.is_set():
            try:
                await over.wait()
            except asyncio.CancelledError:
                continue
        if context.unit != "direct":
            await asyncio.Event().wait()

    stage.hook = hook
    limits: dict[str, Any] = {"slots": 2, "ack_wait_seconds": 600, "cancel_grace_seconds": 0.2}
    async with worker(broker, stage, blobs, abandon=left.set, **limits) as mount:
        await submit(broker)
        await until(lambda: len(stage.runs) == 1)
        call = asyncio.create_task(called(mount.host, stage, blobs))
        await until(lambda: len(stage.runs) == 2)
        call.cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await left.wait()
        stage.hook = EmptyStage(answer=stage.answer).hook
        # Its unit went back to the queue at once; the ack_wait is ten minutes.
        async with worker(broker, stage, blobs, ack_wait_seconds=600):
            assert (await next_event(broker)).HasField("completed")
        over.set()


async def test_a_call_waits_for_a_suspect_to_end(stage: EmptyStage, blobs: Blobs) -> None:
    host = host_of(slots=2)
    async with host.quarantine.place(suspect=True):
        call = asyncio.create_task(called(host, stage, blobs))
        # It has its slot, and has come as far as it can.
        await asyncio.sleep(0.1)
        assert stage.runs == []
    assert len(await call) == 3


async def test_interceptors_surround_the_work_while_it_has_its_limits(
    stage: EmptyStage, blobs: Blobs
) -> None:
    seen: list[str] = []

    def noting(name: str) -> Interceptor:
        @asynccontextmanager
        async def intercept(work: Work) -> AsyncIterator[None]:
            seen.append(f"{name} {work.unit}")
            yield
            seen.append(name)

        return intercept

    async def hook(_: StageContext) -> None:
        seen.append("work")

    stage.hook = hook
    await called(host_of(interceptors=(noting("outer"), noting("inner"))), stage, blobs)
    assert seen == ["outer direct", "inner direct", "work", "inner", "outer"]


async def test_a_caller_gets_its_status_and_when_to_try_again(
    stage: EmptyStage, blobs: Blobs
) -> None:
    gate, server = Gate(stage), GrpcServer("127.0.0.1:0", (BINDING.service,))
    host = host_of()
    GrpcMount(server.server, BINDING, blobs).serve(stage, host)
    await server.start()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.stop, 1)
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(server.address))
        stub = asr_pb2_grpc.AsrServiceStub(channel)
        calls = [stub.Transcribe(asr.TranscribeRequest()) for _ in range(2)]
        reading = [asyncio.create_task(call.read()) for call in calls]
        await in_line(host, 1)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await anext(aiter(stub.Transcribe(asr.TranscribeRequest())))
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert _retry_delay(refused.value) == NO_SLOT_RETRY_AFTER
        # Whoever hangs up, or is over his own deadline, leaves the line.
        calls[1].cancel()
        await in_line(host, 0)
        gate.let()
        await reading[0]
        await asyncio.gather(*reading, return_exceptions=True)


def _retry_delay(error: grpc.aio.AioRpcError) -> timedelta:
    # Its stubs ask for a call of the synchronous API.
    status = rpc_status.from_call(cast(Any, error))
    assert status is not None
    (detail,) = [each for each in status.details if each.Is(error_details_pb2.RetryInfo.DESCRIPTOR)]
    info = error_details_pb2.RetryInfo()
    detail.Unpack(info)
    return info.retry_delay.ToTimedelta()
