"""The web part before a gateway with empty stages, each in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from maie.access.v1 import access_pb2 as access
from maie_client import Client
from maie_web.server import serve_web
from maie_web.settings import WebSettings
from tests.browser import browser, page  # noqa: F401 - fixtures
from tests.conftest import nats_server  # noqa: F401 - a fixture
from tests.gateway.conftest import EmptyMesh, empty_mesh, shared_mesh  # noqa: F401 - fixtures

SCOPES = [access.SCOPE_SUBMIT, access.SCOPE_READ, access.SCOPE_LIVE]


@dataclass(kw_only=True)
class Web:
    """The web part of a running mesh.

    Attributes:
        url: Its address.
        http: A client of it, as a program of this user.
        grpc: A client of the gateway.
    """

    url: str
    http: httpx.AsyncClient
    grpc: Client


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"sound"


@asynccontextmanager
async def web_before(client: Client, **options: object) -> AsyncIterator[Web]:
    """The web part before a client's gateway."""
    listen = {"listen": "127.0.0.1:0", **options}
    settings = WebSettings(gateway=client.address, **listen)  # type: ignore[arg-type]
    async with serve_web(settings) as address:
        url = f"http://{address}"
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http:
            yield Web(url=url, http=http, grpc=client)


@pytest.fixture
async def web(empty_mesh: EmptyMesh) -> AsyncIterator[Web]:  # noqa: F811
    """The web part of a mesh of empty stages."""
    async with empty_mesh.running() as client, web_before(client) as web:
        yield web


@pytest.fixture(scope="module")
async def shared_web(shared_mesh: EmptyMesh) -> AsyncIterator[Web]:  # noqa: F811
    """A web part that the tests of a file share, for those that mind no job of another test.

    What is refused, for example, leaves nothing behind, and needs no mesh of its own.
    """
    async with shared_mesh.running() as client, web_before(client) as web:
        yield web


async def key_of(client: Client, tenant: str = "acme") -> str:
    """An API key of a mesh."""
    made = await client.keys.create(tenant=tenant, scopes=SCOPES)
    return made.api_key


@pytest.fixture
async def key(web: Web) -> str:
    """An API key."""
    return await key_of(web.grpc)


@pytest.fixture
async def acme(web: Web, key: str) -> Client:
    """The gateway for who has the key."""
    return web.grpc.acting(token=key)
