"""`maie up --blob-url`: a mesh whose folder names the bucket that its objects are in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_core.models import file_sha256
from tests.cli.command import Ended, run
from tests.mesh.conftest import RunningMesh, start_mesh
from tests.s3.server import BUCKET, SECRET_KEY, S3Server, no_s3_server

pytestmark = [
    pytest.mark.mesh,
    pytest.mark.skipif(no_s3_server() is not None, reason=str(no_s3_server())),
]

HERE, OTHER = f"s3://{BUCKET}/here", f"s3://{BUCKET}/other"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with S3Server(tmp_path_factory.mktemp("s3") / "data") as running:
        yield running


def keys(server: S3Server, prefix: str) -> list[str]:
    return [each["path"] for each in obstore.list(server.objects(), prefix).collect()]


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def process(mesh: RunningMesh, recording: Path) -> job.Job:
    """Runs a job to its end."""
    async with Client(mesh.gateway) as client:
        made = await client.create_job(recording, features=("raw_transcript",))
        done = [event async for event in client.watch_job(made.job_id)][-1].finished.job
    assert done.state == job.JOB_STATE_COMPLETE
    return done


async def read(mesh: RunningMesh, done: job.Job, recording: Path, path: Path) -> None:
    """Asserts that a mesh has a job with its results and its recording."""
    async with Client(mesh.gateway) as client:
        assert await client.get_job(done.job_id) == done
        await client.save_audio(done.job_id, path)
    assert file_sha256(path) == file_sha256(recording)


@pytest.mark.slow
async def test_a_bucket_has_the_objects_also_after_a_restart_and_a_restore(
    server: S3Server, short_recording: Path, tmp_path: Path
) -> None:
    async def started(data: Path, *options: str) -> RunningMesh:
        variables = server.environment
        return await asyncio.to_thread(start_mesh, data, "--profile", "tiny", *options, **variables)

    async def stopped(mesh: RunningMesh) -> None:
        with mesh.process:
            assert await asyncio.to_thread(mesh.stop) == 0

    async def maie(*arguments: object) -> Ended:
        return await asyncio.to_thread(run, *arguments, environment=server.environment)

    data, backup, restored = (tmp_path / name for name in ("mesh", "backup", "restored"))
    mesh = await started(data, "--blob-url", HERE)
    try:
        done = await process(mesh, short_recording)
        assert any(done.job_id in key for key in keys(server, "here/jobs"))
        assert not files(mesh.layout.blobs)
    finally:
        await stopped(mesh)

    ended = await maie("up", "--data", data, "--blob-url", OTHER)
    assert ended.code == 1
    assert f"are in {HERE}; leave --blob-url out, or choose" in ended.errors
    mesh = await started(data)
    try:
        await read(mesh, done, short_recording, tmp_path / "again")
        ended = await maie("backup", backup, "--data", data)
        assert ended.code == 0, ended.errors
    finally:
        await stopped(mesh)

    ended = await maie("restore", backup, "--data", restored, "--blob-url", OTHER)
    assert ended.code == 0, ended.errors
    assert len(keys(server, "other/jobs")) == len(keys(server, "here/jobs"))
    mesh = await started(restored)
    try:
        await read(mesh, done, short_recording, tmp_path / "third")
    finally:
        await stopped(mesh)


@pytest.mark.parametrize("command", [("up",), ("restore", "backup")])
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("bucket", "is no URL of an object store: write file:///DIR or s3://BUCKET/PREFIX"),
        ("gopher://maie/mesh", "which is no store that this can use; write file:///DIR or s3://"),
        (f"s3://one:{SECRET_KEY}@{BUCKET}/mesh", "is no URL of an object store"),
    ],
)
def test_a_store_that_takes_nothing_is_refused_before_anything_is_noted(
    server: S3Server, tmp_path: Path, command: tuple[str, ...], url: str, words: str
) -> None:
    data = tmp_path / "mesh"
    ended = run(*command, "--data", data, "--blob-url", url, environment=server.environment)
    assert ended.code == 1
    assert words in ended.errors
    assert SECRET_KEY not in ended.errors
    assert len(ended.errors.splitlines()) == 1
    assert not data.exists()


def test_wrong_keys_are_refused(server: S3Server, tmp_path: Path) -> None:
    wrong = server.environment | {"AWS_SECRET_ACCESS_KEY": "wrong"}
    ended = run("up", "--data", tmp_path / "mesh", "--blob-url", HERE, environment=wrong)
    assert (ended.code, "Nothing can be stored in" in ended.errors) == (1, True)


def test_a_restore_without_a_folder_takes_the_store_of_the_settings(tmp_path: Path) -> None:
    ended = run("restore", tmp_path, "--blob-url", HERE, environment={})
    assert ended.code == 2
    assert "--blob-url belongs to --data" in ended.errors
