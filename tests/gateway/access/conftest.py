"""Gateways that take nobody without credentials, and who looks after their keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from maie.access.v1 import access_pb2 as access
from maie_client import Client
from maie_core.api_keys import BOOTSTRAP_ID, new_key
from maie_gateway.access.settings import AccessSettings
from tests.gateway.conftest import EmptyMesh
from tests.waiting import PATIENCE_SECONDS

ALL = (access.SCOPE_SUBMIT, access.SCOPE_READ, access.SCOPE_LIVE, access.SCOPE_ADMIN)
USER = (access.SCOPE_SUBMIT, access.SCOPE_READ, access.SCOPE_LIVE)


@dataclass(kw_only=True)
class Guarded:
    """A mesh whose gateways want credentials of everybody.

    Attributes:
        mesh: The mesh.
        bootstrap: Its bootstrap key.
    """

    mesh: EmptyMesh
    bootstrap: str

    @asynccontextmanager
    async def admin(self, address: str) -> AsyncIterator[Client]:
        """A client with all scopes."""
        async with Client(address, token=self.bootstrap) as client:
            yield client

    async def key(
        self, address: str, tenant: str, scopes: tuple[access.Scope, ...] = USER
    ) -> access.CreateKeyResponse:
        """A new key of a tenant."""
        async with self.admin(address) as client:
            return await client.keys.create(scopes=scopes, tenant=tenant)


@pytest.fixture
def guarded(empty_mesh: EmptyMesh, tmp_path: Path) -> Guarded:
    """A mesh whose gateways want credentials of everybody."""
    file, key = tmp_path / "bootstrap", new_key(BOOTSTRAP_ID).text
    file.write_text(f"{key}\n")
    empty_mesh.gateway_options["access"] = AccessSettings(local_user=False, bootstrap_key_file=file)
    return Guarded(mesh=empty_mesh, bootstrap=key)


async def eventually(condition: Callable[[], Awaitable[bool]]) -> bool:
    """Waits until something holds; it is asked again and again."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():
            # A key may make 100 calls a second, and a condition may need several.
            await asyncio.sleep(0.1)
    return True
