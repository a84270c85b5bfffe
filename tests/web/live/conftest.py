"""The web part before a gateway for live speech, with a replica of a typed engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from maie_client import Client
from tests.conftest import broker  # noqa: F401 - a fixture
from tests.gateway.live.conftest import (  # noqa: F401 - fixtures
    LiveMesh,
    live_mesh,
    shared_live_mesh,
)
from tests.web.conftest import Web, web_before


@pytest.fixture
async def live_web(live_mesh: LiveMesh) -> AsyncIterator[Web]:  # noqa: F811
    """The web part of a mesh for live speech."""
    async with _web_before(live_mesh) as web:
        yield web


@pytest.fixture(scope="module")
async def shared_live_web(shared_live_mesh: LiveMesh) -> AsyncIterator[Web]:  # noqa: F811
    """One that the tests of a file share, for those that mind no session of another test."""
    async with _web_before(shared_live_mesh) as web:
        yield web


@asynccontextmanager
async def _web_before(mesh: LiveMesh) -> AsyncIterator[Web]:
    async with (
        mesh.running() as (address, _),
        Client(address) as client,
        web_before(client) as web,
    ):
        yield web
