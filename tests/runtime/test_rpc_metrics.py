"""Calls are counted by method and status, for all four kinds of RPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader

from maie.job.v1 import job_pb2
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.rpc.server import GrpcServer
from tests.waiting import until

pytestmark = pytest.mark.unit

SERVICE = job_pb2.DESCRIPTOR.services_by_name["JobService"].full_name
GONE = StageError(Code.NOT_FOUND, Reason.JOB_NOT_FOUND, "There is no such job.")


async def one(request: bytes, context: Any) -> bytes:
    if request == b"gone":
        raise GONE
    if request == b"defect":
        raise ZeroDivisionError
    if request == b"never":
        await asyncio.Future()
    return request


async def many(request: bytes, context: Any) -> AsyncIterator[bytes]:
    yield request
    yield await one(request, context)


async def one_of_many(requests: AsyncIterator[bytes], context: Any) -> bytes:
    return await one(b"".join([each async for each in requests]), context)


async def many_of_many(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
    async for request in requests:
        yield await one(request, context)


class Measured:
    """A server with one method of each kind, and what it measured."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        meter = MeterProvider([self._reader]).get_meter("test")
        self.server = GrpcServer("127.0.0.1:0", (SERVICE,), meter=meter)
        kinds = {
            "GetJob": grpc.unary_unary_rpc_method_handler(one, bytes, bytes),
            "WatchJob": grpc.unary_stream_rpc_method_handler(many, bytes, bytes),
            "CreateJob": grpc.stream_unary_rpc_method_handler(one_of_many, bytes, bytes),
            "ProcessAudio": grpc.stream_stream_rpc_method_handler(many_of_many, bytes, bytes),
        }
        handler = grpc.method_handlers_generic_handler(SERVICE, kinds)
        self.server.server.add_generic_rpc_handlers((handler,))

    def calls(self) -> dict[tuple[str, str], int]:
        """How many calls ended, by method and status."""
        data = self._reader.get_metrics_data()
        found = {}
        for resource in data.resource_metrics if data else ():
            for metric in (each for scope in resource.scope_metrics for each in scope.metrics):
                if metric.name == "rpc.server.call.duration":
                    for point in metric.data.data_points:
                        of = dict(point.attributes or {})
                        assert of.pop("rpc.system.name") == "grpc"
                        key = (str(of.pop("rpc.method")), str(of.pop("rpc.response.status_code")))
                        found[key] = cast(HistogramDataPoint, point).count
                        assert not of
        return found


@asynccontextmanager
async def measured() -> AsyncIterator[tuple[Measured, Any]]:
    made = Measured()
    await made.server.start()
    try:
        async with grpc.aio.insecure_channel(made.server.address) as channel:
            yield made, channel
    finally:
        await made.server.stop(0)


async def sent(channel: Any, method: str, request: bytes, **options: Any) -> None:
    """Makes a call to its end, whatever its status."""
    path = f"/{SERVICE}/{method}"

    async def requests() -> AsyncIterator[bytes]:
        yield request

    try:
        match method:
            case "WatchJob":
                async for _ in channel.unary_stream(path)(request, **options):
                    pass
            case "CreateJob":
                await channel.stream_unary(path)(requests(), **options)
            case "ProcessAudio":
                async for _ in channel.stream_stream(path)(requests(), **options):
                    pass
            case _:
                await channel.unary_unary(path)(request, **options)
    except grpc.aio.AioRpcError:
        pass


@pytest.mark.parametrize("method", ["GetJob", "WatchJob", "CreateJob", "ProcessAudio"])
async def test_each_kind_counts_with_its_status(method: str) -> None:
    async with measured() as (made, channel):
        for request in (b"fine", b"gone", b"defect"):
            await sent(channel, method, request)
        await sent(channel, method, b"never", timeout=0.05)
        name = f"{SERVICE}/{method}"
        statuses = ("OK", "NOT_FOUND", "INTERNAL", "DEADLINE_EXCEEDED")
        expected = {(name, status): 1 for status in statuses}
        await until(lambda: sum(made.calls().values()) == len(expected))
        assert made.calls() == expected


async def test_a_call_that_its_client_cancels_is_one() -> None:
    async with measured() as (made, channel):
        call = channel.unary_stream(f"/{SERVICE}/WatchJob")(b"never")
        await call.read()
        call.cancel()
        await until(made.calls)
        assert made.calls() == {(f"{SERVICE}/WatchJob", "CANCELLED"): 1}


async def test_unknown_methods_are_one_and_health_is_none() -> None:
    async with measured() as (made, channel):
        for number in range(20):
            await sent(channel, f"Unknown{number}", b"")
        stub: Any = health_pb2_grpc.HealthStub(channel)
        await stub.Check(health_pb2.HealthCheckRequest())
        assert made.calls() == {("_OTHER", "UNIMPLEMENTED"): 20}
