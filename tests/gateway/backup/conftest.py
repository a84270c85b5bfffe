"""Stores of meshes that are backed up and restored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.conftest import NatsServer, free_port
from tests.gateway.backup.places import Places
from tests.gateway.conftest import EmptyMesh
from tests.s3.server import BUCKET, S3Server, no_s3_server


@pytest.fixture(params=["file", "s3"])
def stores(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The URLs of two object stores, and the variables that they need."""
    if request.param == "file":
        yield f"file://{tmp_path}/blobs", f"file://{tmp_path}/other-blobs", {}
        return
    if why := no_s3_server():
        pytest.skip(why)
    with S3Server(tmp_path / "seaweedfs") as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield f"s3://{BUCKET}/one", f"s3://{BUCKET}/other", server.environment


@pytest.fixture
async def places(
    empty_mesh: EmptyMesh, stores: tuple[str, str, dict[str, str]], tmp_path: Path
) -> AsyncIterator[Places]:
    here, there, environment = stores
    server = NatsServer(port=free_port(), store=tmp_path / "other-jetstream")
    await server.start()
    empty_mesh.mesh = empty_mesh.mesh.model_copy(update={"blob_url": here})
    settings = empty_mesh.mesh.model_copy(update={"nats_url": server.url, "blob_url": there})
    other = EmptyMesh(nats=server, mesh=settings, gateway_options=empty_mesh.gateway_options)
    try:
        yield Places(
            mesh=empty_mesh, folder=tmp_path / "backup", other=other, environment=environment
        )
    finally:
        await server.stop()
