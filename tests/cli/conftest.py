"""A real gateway to talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from maie_core.settings import MeshSettings
from tests.conftest import NatsServer
from tests.gateway.conftest import EmptyMesh


@pytest.fixture
async def gateway(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[str]:
    """A gateway without stages: its jobs wait."""
    settings = MeshSettings(
        nats_url=nats_server.url, blob_url=f"file://{tmp_path}/blobs", shutdown_grace_seconds=1
    )
    async with EmptyMesh(nats=nats_server, mesh=settings).gateway() as address:
        yield address
