"""The web part before a gateway for live speech, with a replica of a typed engine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from maie_client import Client
from tests.conftest import broker  # noqa: F401 - a fixture
from tests.gateway.live.conftest import LiveMesh, live_mesh  # noqa: F401 - a fixture
from tests.web.conftest import Web, web_before


@pytest.fixture
async def live_web(live_mesh: LiveMesh) -> AsyncIterator[Web]:  # noqa: F811
    """The web part of a mesh for live speech."""
    async with (
        live_mesh.running() as (address, _),
        Client(address) as client,
        web_before(client) as web,
    ):
        yield web
