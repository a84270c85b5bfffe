"""The web part before a gateway for live speech, with a replica of a typed engine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from maie_client import Client
from tests.conftest import broker  # noqa: F401 - a fixture
from tests.gateway.live.conftest import (  # noqa: F401 - fixtures
    LiveMesh,
    live_mesh,
    shared_live_mesh,
)
from tests.web.conftest import Web, web_before


@pytest.fixture(scope="module")
async def live_web(shared_live_mesh: LiveMesh) -> AsyncIterator[Web]:  # noqa: F811
    """The web part of a mesh for live speech, which the tests of a file share.

    Each minds its own sessions; who asks for all jobs of a tenant has a tenant of its own.
    """
    async with (
        shared_live_mesh.running() as (address, _),
        Client(address) as client,
        web_before(client) as web,
    ):
        yield web
