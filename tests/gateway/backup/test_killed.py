"""Commands that are killed half-way: a backup is never taken for whole, a restore is run again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from maie.job.v1 import job_pb2 as job
from maie_runtime.backup.manifest import MANIFEST
from tests.chaos.silence import SilentProxy
from tests.cli.command import MAIE
from tests.gateway.backup.places import (
    FEATURES,
    Places,
    completed,
    only_buckets,
    only_files,
    recording,
)
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

ENDPOINT = "AWS_ENDPOINT_URL"


async def filled(places: Places) -> job.Job:
    """A job that ended in the mesh."""
    async with places.mesh.running() as client:
        made = await client.create_job(recording(), features=FEATURES)
        return await completed(client, made.job_id)


async def killed(
    command: str, folder: Path, environment: Mapping[str, str], at: asyncio.Event
) -> None:
    """Runs a command, and kills it once its connection stalls in the middle of it."""
    process = await asyncio.create_subprocess_exec(
        MAIE,
        command,
        folder,
        env={**os.environ, **environment},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await at.wait()
        assert process.returncode is None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def halfway(places: Places, command: str, share: float) -> None:
    """Kills a command after a share of what it sends to the broker and gets from it."""
    mesh = places.mesh if command == "backup" else places.other
    variables = places.variables(mesh)
    address = variables["MAIE_NATS_URL"].removeprefix("nats://")
    streams = sum(path.stat().st_size for path in (places.folder / "streams").glob("*"))
    async with SilentProxy(address, most_bytes=round(share * streams)) as proxy:
        await killed(
            command,
            places.folder,
            {**variables, "MAIE_NATS_URL": f"nats://{proxy.address}"},
            proxy.spent,
        )


@pytest.mark.slow
@only_files
@pytest.mark.parametrize("share", [0.1, 0.4, 0.7, 0.95])
async def test_a_restore_that_is_killed_within_its_streams_is_run_again(
    places: Places, share: float
) -> None:
    before = await filled(places)
    assert (await places.backup()).code == 0
    await halfway(places, "restore", share)
    ended = await places.restore()
    assert ended.code == 0, ended.errors
    async with places.other.running() as client:
        assert await client.get_job(before.job_id) == before
        made = await client.create_job(recording(), features=FEATURES)
        await completed(client, made.job_id)


@pytest.mark.slow
@only_buckets
@pytest.mark.parametrize("command", ["backup", "restore"])
async def test_a_command_that_is_killed_within_its_objects_is_run_again(
    places: Places, command: str, tmp_path: Path
) -> None:
    before = await filled(places)
    if command == "restore":
        assert (await places.backup()).code == 0
    address = places.environment[ENDPOINT].removeprefix("http://")
    mesh = places.mesh if command == "backup" else places.other
    async with SilentProxy(address, most_bytes=2000) as proxy:
        through = {**places.variables(mesh), ENDPOINT: f"http://{proxy.address}"}
        await killed(command, places.folder, through, proxy.spent)
    if command == "backup":
        await assert_not_whole(places)
        places.folder = tmp_path / "another"
        assert (await places.backup()).code == 0
    ended = await places.restore()
    assert ended.code == 0, ended.errors
    async with places.other.running() as client:
        assert await client.get_job(before.job_id) == before
        await client.save_audio(before.job_id, tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == b"RECORDINGBYTES"


@only_files
@pytest.mark.parametrize("most_bytes", [2_000, 10_000])
async def test_a_backup_that_is_killed_within_its_streams_is_not_whole(
    places: Places, most_bytes: int
) -> None:
    await filled(places)
    variables = places.variables(places.mesh)
    address = variables["MAIE_NATS_URL"].removeprefix("nats://")
    async with SilentProxy(address, most_bytes=most_bytes) as proxy:
        through = {**variables, "MAIE_NATS_URL": f"nats://{proxy.address}"}
        await killed("backup", places.folder, through, proxy.spent)
    await assert_not_whole(places)


async def assert_not_whole(places: Places) -> None:
    """Neither a restore nor another backup takes the folder for a backup."""
    assert not (places.folder / MANIFEST).exists()
    refused = await places.restore()
    assert (refused.code, "holds no whole backup" in refused.errors) == (1, True)
    again = await places.backup()
    assert (again.code, "a backup that did not come to its end" in again.errors) == (1, True)
