"""A mesh on three servers of NATS is backed up, and one is restored to three servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from maie_runtime.backup.order import ORDER
from tests.gateway.backup.places import FEATURES, Places, completed, only_files, recording
from tests.nats_cluster import SERVERS, NatsCluster, leader_of

pytestmark = [pytest.mark.mesh, only_files]


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
