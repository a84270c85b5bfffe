"""An encrypted mesh of two gateways, with objects in S3 and the read model in PostgreSQL."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_runtime.blobs import Blobs
from tests.gateway.conftest import EmptyMesh
from tests.gateway.readmodel.postgres import postgres_server
from tests.gateway.test_residue import WORDS, files_with, options
from tests.gateway.vault.conftest import EVERYTHING
from tests.s3.server import BUCKET, S3Server, no_s3_server
from tests.waiting import PATIENCE_SECONDS

pytestmark = [
    pytest.mark.mesh,
    pytest.mark.skipif(no_s3_server() is not None, reason=str(no_s3_server())),
]

# What can be compressed, the server compresses, and words would not be found.
LARGE = b"RECORDINGBYTES".join(secrets.token_bytes(1_000_000) for _ in range(8))


async def large() -> AsyncIterator[bytes]:
    """A recording of 8 MB, which is stored in parts."""
    for start in range(0, len(LARGE), 1024 * 1024):
        yield LARGE[start : start + 1024 * 1024]


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the server with the bucket."""
    folder = tmp_path / "seaweedfs"
    with S3Server(folder) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield folder


async def test_a_job_is_read_by_either_gateway_and_leaves_no_word_and_no_object(
    mesh: EmptyMesh, bucket: Path, postgres_url: str, tmp_path: Path
) -> None:
    mesh.mesh = mesh.mesh.model_copy(update={"blob_url": f"s3://{BUCKET}/mesh"})
    mesh.gateway_options["read_model"] = {"url": postgres_url}
    stored = Blobs(mesh.mesh.blob_url)
    disk = [bucket, mesh.nats.store]
    async with mesh.running() as one, mesh.gateway() as address, Client(address) as other:
        made = await one.create_job(large(), **options())
        done = [each async for each in other.watch_job(made.job_id)][-1].finished.job
        assert done.state == job.JOB_STATE_COMPLETE
        assert "chunk 0" in done.results.raw_transcript
        await found(other, WORDS[1])
        for client in (one, other):
            await client.save_audio(made.job_id, tmp_path / "saved")
            assert (tmp_path / "saved").read_bytes() == LARGE
        assert [each async for each in stored.stored(f"jobs/{made.job_id}")]
        assert files_with(disk, EVERYTHING) == {}
        await other.delete_job(made.job_id)
        assert not [each async for each in stored.stored(f"jobs/{made.job_id}")]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while [each async for each in one.list_jobs()]:
                await asyncio.sleep(0.05)
    assert files_with(disk, EVERYTHING) == {}


async def found(client: Client, words: str) -> None:
    """Waits until a search finds a job."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not [hit async for hit in client.search_jobs(words)]:
            await asyncio.sleep(0.05)


async def test_the_words_are_looked_for_where_they_would_be(mesh: EmptyMesh, bucket: Path) -> None:
    mesh.mesh = mesh.mesh.model_copy(update={"blob_url": f"s3://{BUCKET}/mesh"})
    del mesh.gateway_options["master_key"]
    async with mesh.running() as client:
        made = await client.create_job(large(), **options())
        assert [each async for each in client.watch_job(made.job_id)]
        assert "RECORDINGBYTES" in files_with([bucket], EVERYTHING)
