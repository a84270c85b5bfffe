"""Gateways that take resumable uploads."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_gateway.uploads.appending import PART_BYTES
from tests.gateway.conftest import EmptyMesh

RAW = job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT])
# Two whole parts and the beginning of a third.
AUDIO = random.Random(7).randbytes(2 * PART_BYTES + 12345)


@pytest.fixture
async def gateway(empty_mesh: EmptyMesh) -> AsyncIterator[Client]:
    """A client of a gateway without stages."""
    async with empty_mesh.gateway() as address, Client(address) as client:
        yield client


async def pieces(audio: bytes, size: int = 256 * 1024) -> AsyncIterator[bytes]:
    """Audio as a source of pieces."""
    for start in range(0, len(audio), size):
        yield audio[start : start + size]


async def audio_of(client: Client, job_id: str) -> bytes:
    """The recording of a job."""
    return b"".join([part.audio async for part in client.get_audio(job_id)])


def stored_files(mesh: EmptyMesh, folder: str) -> list[Path]:
    """The objects in a folder of the store."""
    root = Path(urlsplit(mesh.mesh.blob_url).path) / folder
    return [path for path in root.rglob("*") if path.is_file()]
