"""What calls leave behind in a server: nothing, above all where they are refused."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any, NoReturn

import grpc
import pytest
import structlog

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import job_pb2_grpc
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.rpc.server import GrpcServer
from tests.sending import send

pytestmark = pytest.mark.unit

CALLS = 30
SERVICE = job.DESCRIPTOR.services_by_name["JobService"].full_name


class Refusing(job_pb2_grpc.JobServiceServicer):
    """Refuses each call."""

    async def GetJob(self, request: Any, context: Any) -> Any:
        raise StageError(Code.NOT_FOUND, Reason.JOB_NOT_FOUND, "There is no such job.")

    async def CreateJob(self, request_iterator: Any, context: Any) -> Any:
        async for _ in request_iterator:
            raise StageError(Code.NOT_FOUND, Reason.JOB_NOT_FOUND, "There is no such job.")

    async def ListJobs(self, request: Any, context: Any) -> Any:
        raise ZeroDivisionError


CASES = {
    "by its handler": ("GetJob", b"", grpc.StatusCode.NOT_FOUND),
    "in the middle of its requests": ("CreateJob", b"", grpc.StatusCode.NOT_FOUND),
    "for what it sends": ("GetJob", b"\xff", grpc.StatusCode.INVALID_ARGUMENT),
    "for its size": ("GetJob", b"x" * 2048, grpc.StatusCode.INVALID_ARGUMENT),
    "by a defect": ("ListJobs", b"", grpc.StatusCode.INTERNAL),
}


@pytest.fixture
def uncollected() -> Iterator[None]:
    """No garbage is collected but by the test, and none is made by log lines."""
    gc.collect()
    gc.disable()
    structlog.configure(processors=[_drop])
    yield
    structlog.reset_defaults()
    gc.enable()


def _drop(*_: object) -> NoReturn:
    raise structlog.DropEvent


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("case", CASES)
async def test_a_refused_call_leaves_no_garbage_and_keeps_no_memory(case: str) -> None:
    name, request, status = CASES[case]
    server = GrpcServer("127.0.0.1:0", (SERVICE,), max_request_bytes=1024)
    job_pb2_grpc.add_JobServiceServicer_to_server(Refusing(), server.server)
    await server.start()
    try:
        async with grpc.aio.insecure_channel(server.address) as channel:
            method: Any = channel.stream_unary(f"/{SERVICE}/{name}")

            async def refused() -> None:
                # An error that is raised here would be garbage, too.
                call = method()
                await send(call, [request])
                assert await call.code() is status

            for _ in range(3):
                await refused()
            gc.collect()
            before = len(gc.get_objects())
            for _ in range(CALLS):
                await refused()
            # Iterators are closed by the loop once nobody has them.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            garbage = gc.collect()
            kept = len(gc.get_objects()) - before
    finally:
        await server.stop(0)
    # gRPC itself leaves five objects of each call.
    assert garbage / CALLS < 10
    assert kept / CALLS < 2
