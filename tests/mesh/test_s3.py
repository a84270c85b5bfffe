"""A mesh of the real services whose objects are in a real S3 bucket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import obstore
import pytest
from obstore.store import ObjectStore

from maie.job.v1 import job_pb2 as job
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import MeshOptions
from maie_client import Client
from maie_core.models import file_sha256
from tests.s3.server import BUCKET, S3Server, no_s3_server
from tests.second_gateway import SECOND_GATEWAY, start_second_gateway
from tests.waiting import PATIENCE_SECONDS

# tests/runtime/test_bucket.py breaks the bucket, and so does `make chaos ARGS="--store s3"`.
pytestmark = [
    pytest.mark.mesh,
    pytest.mark.slow,
    pytest.mark.skipif(no_s3_server() is not None, reason=str(no_s3_server())),
]

FEATURES = ("raw_transcript", "clean_transcript", "summary")
SECOND_OF_DAY = 1 / 86_400


@dataclass(kw_only=True, frozen=True, slots=True)
class Mesh:
    """A running mesh.

    Attributes:
        clients: A client of each of its two gateways.
        objects: What it stored.
    """

    clients: tuple[Client, Client]
    objects: ObjectStore

    async def stored(self) -> list[str]:
        """The keys of the objects of jobs."""
        return [
            found["path"] for found in await obstore.list(self.objects, "mesh/jobs").collect_async()
        ]

    async def until_empty(self) -> None:
        """Waits until no object of a job is left."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.stored():
                await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with S3Server(tmp_path_factory.mktemp("s3") / "data") as running:
        yield running


@pytest.fixture
def settings() -> dict[str, str]:
    """Settings of the mesh besides where its bucket is."""
    return {}


@pytest.fixture
async def mesh(server: S3Server, settings: dict[str, str], tmp_path: Path) -> AsyncIterator[Mesh]:
    options = MeshOptions(
        data=tmp_path / "mesh",
        port_base=0,
        profile="tiny",
        environment={**server.environment, **settings},
        blob_url=f"s3://{BUCKET}/mesh",
    )
    async with LocalMesh(options, lambda _: None) as running:
        await start_second_gateway(running)
        second = running.children[SECOND_GATEWAY].part.address
        async with Client(running.gateway) as one, Client(second) as other:
            yield Mesh(clients=(one, other), objects=server.objects())


async def finish(submitter: Client, watcher: Client, recording: Path) -> job.Job:
    """Submits a job at one gateway and watches it at another, to its end."""
    made = await submitter.create_job(recording, features=FEATURES, template_id="meeting_notes_v1")
    return [event async for event in watcher.watch_job(made.job_id)][-1].finished.job


async def test_a_job_goes_through_all_stages_and_is_deleted_with_all_of_its_objects(
    mesh: Mesh, short_recording: Path, tmp_path: Path
) -> None:
    one, other = mesh.clients
    done = await finish(one, other, short_recording)
    assert done.state == job.JOB_STATE_COMPLETE
    assert done.results.clean_transcript
    assert done.results.HasField("summary")
    await other.save_audio(done.job_id, tmp_path / "saved")
    assert file_sha256(tmp_path / "saved") == file_sha256(short_recording)
    names = {key.split("/")[-1].rpartition("-")[0] for key in await mesh.stored()}
    assert {"recording", "preprocess", "asr.0000", "enhancement.0000", "summary.reduce"} <= names
    await other.delete_job(done.job_id)
    assert await mesh.stored() == []


@pytest.mark.parametrize(
    "settings",
    [
        {
            "MAIE_RETENTION_JOBS_DAYS": str(SECOND_OF_DAY),
            "MAIE_RETENTION_SWEEP_SECONDS": "0.5",
            "MAIE_RETENTION_UPLOADS_HOURS": "1",
        }
    ],
)
async def test_what_is_older_than_its_retention_is_removed_from_the_bucket(
    mesh: Mesh, short_recording: Path
) -> None:
    one, other = mesh.clients
    done = await finish(one, other, short_recording)
    assert done.state == job.JOB_STATE_COMPLETE
    await mesh.until_empty()
    for client in mesh.clients:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while [shown async for shown in client.list_jobs()]:
                await asyncio.sleep(0.1)
