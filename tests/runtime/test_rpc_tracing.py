"""Spans of calls have the right status, once, whatever ends a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import job_pb2_grpc
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.rpc.server import GrpcServer
from tests.waiting import until

pytestmark = pytest.mark.mesh

SERVICE = "maie.job.v1.JobService"
Handle = Callable[[Any], Any]


class Jobs(job_pb2_grpc.JobServiceServicer):
    """Does what a test says in each kind of call.

    Args:
        handle: Called with the call's context; its result is not used.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    async def GetJob(self, request: Any, context: Any) -> job.GetJobResponse:
        await self._handle(context)
        return job.GetJobResponse()

    async def CreateJob(self, request_iterator: Any, context: Any) -> job.CreateJobResponse:
        async for _ in request_iterator:
            pass
        await self._handle(context)
        return job.CreateJobResponse()

    async def WatchJob(self, request: Any, context: Any) -> AsyncIterator[job.WatchJobResponse]:
        yield job.WatchJobResponse()
        await self._handle(context)

    async def ProcessAudio(
        self, request_iterator: Any, context: Any
    ) -> AsyncIterator[job.ProcessAudioResponse]:
        async for _ in request_iterator:
            yield job.ProcessAudioResponse()
        await self._handle(context)


KINDS = {
    "GetJob": lambda stub, **options: stub.GetJob(job.GetJobRequest(), **options),
    "CreateJob": lambda stub, **options: stub.CreateJob(
        iter([job.CreateJobRequest()] * 2), **options
    ),
    "WatchJob": lambda stub, **options: stub.WatchJob(job.WatchJobRequest(), **options),
    "ProcessAudio": lambda stub, **options: stub.ProcessAudio(
        iter([job.ProcessAudioRequest()] * 2), **options
    ),
}


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@asynccontextmanager
async def serving(exporter: InMemorySpanExporter, handle: Handle) -> AsyncIterator[Any]:
    """A server whose calls do `handle`; gives its stub."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    server = GrpcServer("127.0.0.1:0", (SERVICE,), tracer=provider.get_tracer("test"))
    job_pb2_grpc.add_JobServiceServicer_to_server(Jobs(handle), server.server)
    await server.start()
    try:
        async with grpc.aio.insecure_channel(server.address) as channel:
            yield job_pb2_grpc.JobServiceStub(channel), channel
    finally:
        await server.stop(0)


async def span_of(exporter: InMemorySpanExporter) -> ReadableSpan:
    """The one span there is."""
    await until(exporter.get_finished_spans)
    (found,) = exporter.get_finished_spans()
    return found


async def ended(call: Any) -> grpc.StatusCode:
    """The status of a call of any kind."""
    if hasattr(call, "__aiter__"):
        try:
            async for _ in call:
                pass
        except (grpc.aio.AioRpcError, asyncio.CancelledError):
            pass
    return await call.code()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_that_is_well_has_a_span(kind: str, exporter: InMemorySpanExporter) -> None:
    async def handle(_: Any) -> None:
        assert trace.get_current_span().is_recording()

    async with serving(exporter, handle) as (stub, _):
        assert await ended(KINDS[kind](stub)) is grpc.StatusCode.OK
        span = await span_of(exporter)
    assert (span.name, span.kind) == (f"{SERVICE}/{kind}", SpanKind.SERVER)
    assert dict(span.attributes or {}) == {
        "rpc.system.name": "grpc",
        "rpc.method": f"{SERVICE}/{kind}",
        "rpc.response.status_code": "OK",
        "maie.tenant": "default",
    }
    assert span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("code", "failed"),
    [(Code.NOT_FOUND, False), (Code.UNAVAILABLE, True), (Code.DATA_LOSS, True)],
)
async def test_an_error_is_recorded_once_and_without_its_message(
    kind: str, code: Code, failed: bool, exporter: InMemorySpanExporter
) -> None:
    async def handle(_: Any) -> None:
        raise StageError(code, Reason.INTERNAL, "What somebody said.")

    async with serving(exporter, handle) as (stub, _):
        assert (await ended(KINDS[kind](stub))).name == code.name
        span = await span_of(exporter)
    attributes = dict(span.attributes or {})
    assert attributes["rpc.response.status_code"] == code.name
    # What is the caller's fault is no error of the server.
    assert attributes.get("error.type") == (code.name if failed else None)
    assert (span.status.status_code is StatusCode.ERROR) is failed
    assert not span.events
    assert "somebody" not in span.to_json()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_that_its_caller_cancels_says_so(
    kind: str, exporter: InMemorySpanExporter
) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def handle(_: Any) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except (asyncio.CancelledError, GeneratorExit):
            cancelled.set()
            raise

    async with serving(exporter, handle) as (stub, _):
        call = KINDS[kind](stub)
        ending = asyncio.create_task(ended(call))
        await begun.wait()
        call.cancel()
        assert await ending is grpc.StatusCode.CANCELLED
        await until(cancelled.is_set)
        span = await span_of(exporter)
    assert (span.attributes or {})["rpc.response.status_code"] == "CANCELLED"
    assert span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_over_its_deadline_says_so(kind: str, exporter: InMemorySpanExporter) -> None:
    async def handle(_: Any) -> None:
        await asyncio.Event().wait()

    async with serving(exporter, handle) as (stub, _):
        call = KINDS[kind](stub, timeout=1)
        assert await ended(call) is grpc.StatusCode.DEADLINE_EXCEEDED
        span = await span_of(exporter)
    assert (span.attributes or {})["rpc.response.status_code"] == "DEADLINE_EXCEEDED"
    assert span.status.status_code is StatusCode.ERROR


async def test_a_slow_reader_still_holds_its_handler_up(exporter: InMemorySpanExporter) -> None:
    sent = 0

    class Flood(job_pb2_grpc.JobServiceServicer):
        async def WatchJob(self, request: Any, context: Any) -> AsyncIterator[job.WatchJobResponse]:
            nonlocal sent
            response = job.WatchJobResponse()
            response.event.segment.text = "x" * 100_000
            while True:
                yield response
                sent += 1

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    server = GrpcServer("127.0.0.1:0", (SERVICE,), tracer=provider.get_tracer("test"))
    job_pb2_grpc.add_JobServiceServicer_to_server(Flood(), server.server)
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        call = job_pb2_grpc.JobServiceStub(channel).WatchJob(job.WatchJobRequest())
        await call.read()
        before = -1
        while before != sent:  # until nothing more fits on the way
            before = sent
            await asyncio.sleep(0.3)
        assert sent < 1000
        call.cancel()
        await until(exporter.get_finished_spans)
    await server.stop(0)


async def test_health_has_no_spans_and_watching_it_works(exporter: InMemorySpanExporter) -> None:
    async def handle(_: Any) -> None:
        return

    async with serving(exporter, handle) as (stub, channel):
        health: Any = health_pb2_grpc.HealthStub(channel)
        await health.Check(health_pb2.HealthCheckRequest())
        watch = health.Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        watch.cancel()
        await stub.GetJob(job.GetJobRequest())
        span = await span_of(exporter)
    assert span.name == f"{SERVICE}/GetJob"


async def test_a_caller_names_the_trace_and_rubbish_does_not(
    exporter: InMemorySpanExporter,
) -> None:
    async def handle(_: Any) -> None:
        return

    named = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    rubbish = ("", "x", named.upper(), named.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32))
    async with serving(exporter, handle) as (stub, _):
        await stub.GetJob(job.GetJobRequest(), metadata=(("traceparent", named),))
        for each in rubbish:
            await stub.GetJob(job.GetJobRequest(), metadata=(("traceparent", each),))
        await until(lambda: len(exporter.get_finished_spans()) == 1 + len(rubbish))
    first, *others = exporter.get_finished_spans()
    assert first.parent is not None
    assert f"{first.parent.trace_id:032x}" == named.split("-")[1]
    assert f"{first.parent.span_id:016x}" == named.split("-")[2]
    assert all(each.parent is None for each in others)
