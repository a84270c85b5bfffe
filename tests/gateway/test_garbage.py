"""Bytes that are no message are refused as such, by every method of every service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from maie.asr.v1 import asr_pb2 as asr
from maie.catalog.v1 import catalog_pb2 as catalog
from maie.enhancement.v1 import enhancement_pb2 as enhancement
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import job_pb2_grpc
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie.summary.v1 import summary_pb2 as summary
from maie_pipeline.bindings import BINDINGS
from tests.gateway.conftest import EmptyMesh
from tests.sending import answer_to

pytestmark = pytest.mark.mesh

# A wrong wire type, a length beyond the end, a group that never ends, text that is not UTF-8.
GARBAGE = [b"\xff\xff\xff", b"\x0a\x7fx", b"\x0b\x0b\x0b", b"\x12\x02\xc3\x28" * 3 + b"\x0a\xff"]
COMMON = (health_pb2, reflection_pb2)


def methods(*files: Any) -> list[MethodDescriptor]:
    """All methods of all services in files of the contract."""
    return [
        method
        for file in files
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]


async def answer(channel: grpc.aio.Channel, method: MethodDescriptor, data: bytes) -> grpc.aio.Call:
    """The call, ended, to which these bytes were sent as its one request."""
    kind = "_".join(
        "stream" if streams else "unary"
        for streams in (method.client_streaming, method.server_streaming)
    )
    path = f"/{method.containing_service.full_name}/{method.name}"
    call = getattr(channel, kind)(path)

    async def requests() -> AsyncIterator[bytes]:
        yield data

    made = call(requests() if method.client_streaming else data)
    try:
        if method.server_streaming:
            async for _ in made:
                pass
        else:
            await made
    except grpc.aio.AioRpcError:
        pass
    return made


async def check(address: str, *files: Any) -> list[str]:
    """The methods that were asked, each with each kind of garbage."""
    asked = methods(*files, *COMMON)
    async with grpc.aio.insecure_channel(address) as channel:
        for method in asked:
            for data in GARBAGE:
                ended = await answer(channel, method, data)
                told = (method.full_name, await ended.code(), await ended.details())
                assert told[1] is grpc.StatusCode.INVALID_ARGUMENT, told
                assert "Error" not in told[2], told
                assert "class" not in told[2], told
    return [method.name for method in asked]


async def test_no_method_of_the_gateway_takes_garbage_for_a_fault_of_its_own(
    empty_mesh: EmptyMesh,
) -> None:
    async with empty_mesh.gateway() as address:
        names = await check(address, job, catalog)
    assert {"CreateJob", "ProcessAudio", "ListJobs", "GetMesh", "Watch"} <= set(names)


@pytest.mark.parametrize(
    ("slug", "file"),
    [
        ("preprocess", preprocess),
        ("asr", asr),
        ("enhancement", enhancement),
        ("summary", summary),
    ],
)
async def test_no_method_of_a_stage_takes_garbage_for_a_fault_of_its_own(
    empty_mesh: EmptyMesh, slug: str, file: Any
) -> None:
    assert slug in BINDINGS
    async with empty_mesh.service(slug) as address:
        assert await check(address, file)
    assert empty_mesh.stages[slug].runs == []


async def test_garbage_after_a_good_config_makes_no_job(empty_mesh: EmptyMesh) -> None:
    config = job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT])
    good = job.CreateJobRequest(upload=job.UploadPart(config=config))

    async with empty_mesh.gateway() as address, grpc.aio.insecure_channel(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            create: Any = channel.stream_unary("/maie.job.v1.JobService/CreateJob")
            await answer_to(create(), (good, GARBAGE[0]))
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        jobs = job_pb2_grpc.JobServiceStub(channel)
        assert not (await jobs.ListJobs(job.ListJobsRequest())).jobs
