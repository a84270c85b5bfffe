"""Whatever a request holds, its caller gets an error of the request and no internal error."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from maie.catalog.v1 import catalog_pb2 as catalog
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import job_pb2_grpc
from tests.gateway.conftest import EmptyMesh
from tests.nasty import nasty
from tests.sending import answer_to
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

REQUESTS = 60
FAULTS = (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.DATA_LOSS)


def unary_methods() -> Iterator[Any]:
    for file in (job, catalog):
        for service in file.DESCRIPTOR.services_by_name.values():
            yield from (each for each in service.methods if not each.client_streaming)


async def code_of(call: Any, *, streams: bool) -> tuple[grpc.StatusCode, str]:
    """How a call ends."""
    try:
        if streams:
            async for _ in call:
                pass
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details() or ""
    return grpc.StatusCode.OK, ""


@pytest.mark.parametrize("method", list(unary_methods()), ids=lambda method: method.name)
async def test_no_request_is_a_fault_of_the_gateway(empty_mesh: EmptyMesh, method: Any) -> None:
    chance = random.Random(method.full_name)
    kind = GetMessageClass(method.input_type)
    path = f"/{method.containing_service.full_name}/{method.name}"
    shape = "unary_stream" if method.server_streaming else "unary_unary"
    async with empty_mesh.gateway() as address, grpc.aio.insecure_channel(address) as channel:
        call = getattr(channel, shape)(path)
        for _ in range(REQUESTS):
            request = nasty(kind, chance)
            made = call(request.SerializeToString(), timeout=PATIENCE_SECONDS)
            code, details = await code_of(made, streams=method.server_streaming)
            assert code not in FAULTS, (details, request)


async def test_no_upload_is_a_fault_of_the_gateway(empty_mesh: EmptyMesh) -> None:
    chance = random.Random("uploads")
    empty_mesh.gateway_options["upload_idle_seconds"] = 2
    async with empty_mesh.gateway() as address, grpc.aio.insecure_channel(address) as channel:
        stub = job_pb2_grpc.JobServiceStub(channel)
        for _ in range(REQUESTS):
            config = nasty(job.JobConfig, chance)
            parts = [
                job.UploadPart(config=config),
                nasty(job.UploadPart, chance),
                nasty(job.UploadPart, chance),
            ]
            requests = [job.CreateJobRequest(upload=part) for part in parts]
            call = stub.CreateJob(timeout=PATIENCE_SECONDS)
            code, details = await code_of(answer_to(call, requests), streams=False)
            assert code not in FAULTS, (details, parts)


def with_one_nasty_field(chance: random.Random) -> job.JobConfig:
    """A config as an honest client sends it, but for one field."""
    config = job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT], filename="a.wav")
    fields: list[FieldDescriptor] = []
    while not fields:
        fields = [field for field, _ in nasty(job.JobConfig, chance).ListFields()]
    kept = chance.choice(fields).name
    odd = nasty(job.JobConfig, chance)
    for field, _ in odd.ListFields():
        if field.name != kept:
            odd.ClearField(field.name)
    config.MergeFrom(odd)
    return config


async def test_no_field_of_a_config_is_a_fault_of_the_gateway(empty_mesh: EmptyMesh) -> None:
    chance = random.Random("configs")
    finish = job.UploadFinish(size_bytes=3, sha256=hashlib.sha256(b"abc").hexdigest())
    codes = set()
    async with empty_mesh.gateway() as address, grpc.aio.insecure_channel(address) as channel:
        stub = job_pb2_grpc.JobServiceStub(channel)
        for _ in range(5 * REQUESTS):
            config = with_one_nasty_field(chance)
            parts = [
                job.UploadPart(config=config),
                job.UploadPart(audio=b"abc"),
                job.UploadPart(finish=finish),
            ]
            requests = [job.CreateJobRequest(upload=part) for part in parts]
            call = stub.CreateJob(timeout=PATIENCE_SECONDS)
            code, details = await code_of(answer_to(call, requests), streams=False)
            assert code not in FAULTS, (details, config)
            codes.add(code)
    assert {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT} <= codes
