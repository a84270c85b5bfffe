"""A mesh on three servers of NATS is backed up, and one is restored to three servers."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from maie_runtime.backup.order import ORDER
from tests.cli.command import MAIE
from tests.gateway.backup.places import FEATURES, Places, completed, only_files, recording
from tests.nats_cluster import SERVERS, NatsCluster, leader_of
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.mesh, only_files]

OUTAGE_SECONDS = 7.0
"""Longer than a request waits for its answer."""
ENOUGH_SECONDS = 2 * PATIENCE_SECONDS
"""Three servers that are lost in the middle of a piece are each waited for."""


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[NatsCluster]:
    """Three servers with nothing in them."""
    cluster = NatsCluster(tmp_path / "cluster")
    await cluster.start()
    try:
        yield cluster
    finally:
        await cluster.stop()


async def assert_kept_by_all(cluster: NatsCluster) -> None:
    """Waits until each server has all of each stream, and asserts that none is kept by fewer."""
    async with cluster.connected() as broker:
        for name in ORDER:
            await leader_of(broker, name, copies=SERVERS - 1)


async def test_a_mesh_moves_to_a_cluster_and_back(
    places: Places, cluster: NatsCluster, tmp_path: Path
) -> None:
    alone, three = places.other.mesh, places.other.mesh.model_copy(update={"nats_url": cluster.url})
    async with places.mesh.running() as client:
        made = await client.create_job(recording(), features=FEATURES, request_id="once")
        before = await completed(client, made.job_id)
        assert (await places.backup()).code == 0

    places.other.mesh = three.model_copy(update={"blob_url": f"file://{tmp_path}/blobs-of-three"})
    ended = await places.restore("--replicas", SERVERS)
    assert ended.code == 0, ended.errors
    await assert_kept_by_all(cluster)
    places.mesh, places.folder = replace(places.other), tmp_path / "backup-of-three"
    async with places.mesh.running() as client:
        assert await client.get_job(made.job_id) == before
        again = await client.create_job(recording(), features=FEATURES, request_id="once")
        assert again.job_id == made.job_id
        later = await client.create_job(recording(), features=FEATURES)
        after = await completed(client, later.job_id)
        ended = await places.backup()
        assert ended.code == 0, ended.errors

    places.other.mesh = alone
    refused = await places.restore()
    assert refused.code == 1
    assert "3 servers are to keep each stream, and this broker has fewer" in refused.errors
    ended = await places.restore("--replicas", 1)
    assert ended.code == 0, ended.errors
    async with places.other.running() as client:
        for each in (before, after):
            assert await client.get_job(each.job_id) == each


async def without_majority(cluster: NatsCluster) -> None:
    """Freezes two servers of three."""
    frozen = [each.process for each in cluster.servers.values() if each.process][1:]
    for process in frozen:
        process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(OUTAGE_SECONDS)
    for process in frozen:
        process.send_signal(signal.SIGCONT)


async def one_after_the_other(cluster: NatsCluster) -> None:
    """Kills each server and starts it again, and so those that lead what is being restored."""
    for server in cluster.servers.values():
        await server.stop(kill=True)
        await server.start()


async def through_an_outage(
    command: Sequence[object],
    environment: Mapping[str, str],
    outage: Awaitable[None],
) -> None:
    """Runs a command; the outage begins once it is at the streams."""
    process = await asyncio.create_subprocess_exec(
        MAIE,
        *map(str, command),
        env={**os.environ, **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(ENOUGH_SECONDS):
            assert process.stderr is not None
            await process.stderr.readuntil(b"ing the streams\n")
            await outage
            errors = await process.stderr.read()
            assert await process.wait() == 0, errors.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("outage", [without_majority, one_after_the_other])
async def test_a_restore_rides_out_the_outage_of_a_cluster(
    places: Places,
    cluster: NatsCluster,
    outage: Callable[[NatsCluster], Awaitable[None]],
) -> None:
    async with places.mesh.running() as client:
        made = await client.create_job(recording(), features=FEATURES)
        before = await completed(client, made.job_id)
        assert (await places.backup()).code == 0
    places.other.mesh = places.other.mesh.model_copy(update={"nats_url": cluster.url})
    command = ("restore", places.folder, "--replicas", SERVERS)
    await through_an_outage(command, places.variables(places.other), outage(cluster))
    await assert_kept_by_all(cluster)
    async with places.other.running() as client:
        assert await client.get_job(made.job_id) == before


@pytest.mark.slow
async def test_a_backup_rides_out_the_outage_of_a_cluster(
    places: Places, cluster: NatsCluster
) -> None:
    alone = places.mesh.mesh
    places.mesh.mesh = alone.model_copy(update={"nats_url": cluster.url})
    async with cluster.provisioned(), places.mesh.running() as client:
        made = await client.create_job(recording(), features=FEATURES)
        before = await completed(client, made.job_id)
    command = ("backup", places.folder)
    await through_an_outage(command, places.variables(places.mesh), without_majority(cluster))
    ended = await places.restore("--replicas", 1)
    assert ended.code == 0, ended.errors
    async with places.other.running() as client:
        assert await client.get_job(made.job_id) == before
