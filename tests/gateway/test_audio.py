"""The audio of a job can be had back, whole or in part, byte for byte as it was sent."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import job_pb2_grpc as job_grpc
from maie_client import Client, ClientError
from maie_runtime.blobs import Blobs
from tests.gateway.conftest import EmptyMesh
from tests.gateway.live.conversation import reason_of

pytestmark = pytest.mark.mesh

RAW = ("raw_transcript",)
MAIE = Path(sys.executable).with_name("maie")
CONTENT = bytes(range(251)) * 4_000


async def recording() -> AsyncIterator[bytes]:
    yield CONTENT


def files(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir() if each.is_file()]


async def made(client: Client) -> str:
    return (await client.create_job(recording(), features=RAW)).job_id


async def test_a_recording_comes_back_as_it_was_sent(empty_mesh: EmptyMesh, tmp_path: Path) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        job_id = await made(client)
        path = tmp_path / "talk.wav"
        path.write_bytes(b"an older file")
        info = await client.save_audio(job_id, path)
        assert path.read_bytes() == CONTENT
        assert info.size_bytes == len(CONTENT)
        assert files(tmp_path) == ["talk.wav"]


@pytest.mark.parametrize(
    ("start", "most", "expected"),
    [
        (0, 0, CONTENT),
        (1000, 0, CONTENT[1000:]),
        (1000, 300_000, CONTENT[1000:301_000]),
        (len(CONTENT) - 1, 10, CONTENT[-1:]),
        (len(CONTENT), 0, b""),
    ],
)
async def test_a_part_of_a_recording(
    empty_mesh: EmptyMesh, start: int, most: int, expected: bytes
) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        job_id = await made(client)
        parts = await asked(address, job_id, start, most)
    assert parts[0].info.size_bytes == len(CONTENT)
    assert b"".join(part.audio for part in parts[1:]) == expected
    assert all(len(part.audio) <= 256 * 1024 for part in parts)


@pytest.mark.parametrize(
    ("start", "most", "field"),
    [(-1, 0, "start_byte"), (len(CONTENT) + 1, 0, "start_byte"), (0, -1, "max_bytes")],
)
async def test_a_part_that_cannot_be_is_refused(
    empty_mesh: EmptyMesh, start: int, most: int, field: str
) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        job_id = await made(client)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await asked(address, job_id, start, most)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(refused.value) == "FIELD_INVALID"
    assert field in str(refused.value.trailing_metadata())


async def test_audio_that_is_lost_is_reported(empty_mesh: EmptyMesh, tmp_path: Path) -> None:
    blobs = Blobs(empty_mesh.mesh.blob_url)
    async with empty_mesh.gateway() as address, Client(address) as client:
        job_id = await made(client)
        await blobs.delete_prefix(f"jobs/{job_id}")
        with pytest.raises(ClientError) as lost:
            await client.save_audio(job_id, tmp_path / "talk.wav")
    assert lost.value.reason == "BLOB_MISSING"
    assert files(tmp_path) == []


async def test_the_command_saves_the_audio(empty_mesh: EmptyMesh, tmp_path: Path) -> None:
    source = tmp_path / "Stand up.wav"
    source.write_bytes(CONTENT)
    folder = tmp_path / "saved"
    folder.mkdir()
    async with empty_mesh.gateway() as address, Client(address) as client:
        job_id = (await client.create_job(source, features=RAW)).job_id
        assert await saved(address, job_id, folder) == 0
        assert (folder / "Stand-up.wav").read_bytes() == CONTENT
        assert await saved(address, job_id, folder) == 2  # it is there already
        assert await saved(address, job_id, folder, "other.wav") == 0
        assert (folder / "other.wav").read_bytes() == CONTENT


async def asked(address: str, job_id: str, start: int, most: int) -> list[job.GetAudioResponse]:
    request = job.GetAudioRequest(job_id=job_id, start_byte=start, max_bytes=most)
    async with grpc.aio.insecure_channel(address) as channel:
        stub = job_grpc.JobServiceStub(channel)
        return [part async for part in stub.GetAudio(request)]


async def saved(address: str, job_id: str, folder: Path, *file: str) -> int:
    process = await asyncio.create_subprocess_exec(
        *(str(MAIE), "jobs", "audio", job_id, *file, "--gateway", address), cwd=folder
    )
    return await process.wait()
