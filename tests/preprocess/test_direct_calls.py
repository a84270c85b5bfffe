"""What a stage's own port answers a caller who names other people's work."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest

from maie.common.v1 import types_pb2 as common
from maie.preprocess.v1 import preprocess_pb2 as pb
from maie.preprocess.v1 import preprocess_pb2_grpc
from maie_core.settings import ServiceSettings
from maie_pipeline.bindings import BINDINGS
from maie_preprocess.stage import PreprocessStage
from maie_runtime.blobs import Blobs
from maie_runtime.gpu.residency import Resident
from maie_runtime.rpc.mount import GrpcMount
from maie_runtime.rpc.server import GrpcServer
from maie_runtime.worker.host import Host
from tests.preprocess import recordings

pytestmark = pytest.mark.mesh

JOB = "01990000-0000-7000-8000-000000000001"


@pytest.fixture
async def stub(
    stage: PreprocessStage, blobs: Blobs
) -> AsyncIterator[preprocess_pb2_grpc.PreprocessServiceStub]:
    async with answering(stage, blobs) as address, grpc.aio.insecure_channel(address) as channel:
        yield preprocess_pb2_grpc.PreprocessServiceStub(channel)


@asynccontextmanager
async def answering(stage: PreprocessStage, blobs: Blobs) -> AsyncIterator[str]:
    """The stage's port; gives its address."""
    binding = BINDINGS["preprocess"]
    server = GrpcServer("127.0.0.1:0", (binding.service,))
    host = Host(settings=ServiceSettings(), residency=Resident())
    GrpcMount(server.server, binding, blobs).serve(stage, host)
    await server.start()
    try:
        yield server.address
    finally:
        await server.stop(0)


async def refusal(
    stub: preprocess_pb2_grpc.PreprocessServiceStub, request: pb.PreprocessRequest
) -> tuple[grpc.StatusCode, str]:
    """How a call fails: its status, and all that comes over the wire about it."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async for _ in stub.Preprocess(request):
            pass
    error = refused.value
    return error.code(), f"{error.details()} {error.trailing_metadata()} {error!r}"


async def test_a_foreign_recording_looks_like_an_absent_one(
    stub: preprocess_pb2_grpc.PreprocessServiceStub, blobs: Blobs
) -> None:
    stored = await blobs.put(f"jobs/{JOB}/recording", recordings.wav(recordings.speech(5)))
    guess = common.Blob(key=stored.key, size_bytes=stored.size_bytes, sha256="0" * 64)
    absent = common.Blob(key=f"jobs/{JOB}/nothing", size_bytes=9, sha256="0" * 64)
    foreign = await refusal(stub, pb.PreprocessRequest(recording=guess))
    assert foreign == await refusal(stub, pb.PreprocessRequest(recording=absent))
    assert foreign[0] is grpc.StatusCode.NOT_FOUND
    assert stored.sha256 not in foreign[1]


async def test_a_call_stores_its_chunks_in_a_folder_of_its_own(
    stub: preprocess_pb2_grpc.PreprocessServiceStub, blobs: Blobs
) -> None:
    sound = recordings.wav(recordings.speech(5))
    recording = await blobs.put(f"jobs/{JOB}/recording", sound)
    # Field 3 once named the job whose chunks were written.
    named = pb.PreprocessRequest.FromString(b"\x1a\x24" + JOB.encode())
    named.recording.CopyFrom(recording)
    folders = set()
    for request in (named, pb.PreprocessRequest(recording_content=sound)):
        answers = [answer async for answer in stub.Preprocess(request)]
        (chunk,) = answers[-1].result.chunks
        assert await blobs.get(chunk.audio)
        folders.add(chunk.audio.key.rpartition("/")[0])
    assert [stored.key async for stored in blobs.stored("jobs")] == [recording.key]
    assert {f"direct/{call}" for call in await blobs.children("direct")} == folders
    assert len(folders) == 2


@pytest.mark.parametrize("key", ["", "../x", "/etc/passwd", "a\0b", "jobs/../../x", "x" * 2000])
async def test_an_odd_key_is_an_invalid_argument(
    stub: preprocess_pb2_grpc.PreprocessServiceStub, key: str
) -> None:
    blob = common.Blob(key=key, size_bytes=9, sha256="0" * 64)
    code, told = await refusal(stub, pb.PreprocessRequest(recording=blob))
    assert (code, "BLOB_KEY_INVALID" in told) == (grpc.StatusCode.INVALID_ARGUMENT, True)


async def test_an_impossible_chunk_duration_is_an_invalid_argument(
    stub: preprocess_pb2_grpc.PreprocessServiceStub,
) -> None:
    request = pb.PreprocessRequest(recording_content=b"x")
    request.chunk_duration.seconds = 2**63 - 1
    assert (await refusal(stub, request))[0] is grpc.StatusCode.INVALID_ARGUMENT
