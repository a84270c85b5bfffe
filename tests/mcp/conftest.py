"""A mesh of empty stages, which clients of MCP reach by either transport."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent

from maie.access.v1 import access_pb2 as access
from tests.conftest import nats_server  # noqa: F401 - a fixture
from tests.gateway.conftest import empty_mesh, shared_mesh  # noqa: F401 - fixtures
from tests.web.conftest import Web, shared_web, web  # noqa: F401 - fixtures

Transport = Literal["http", "stdio"]
TRANSPORTS: tuple[Transport, ...] = ("http", "stdio")


@dataclass(kw_only=True, frozen=True)
class Model:
    """What a model sees of a server.

    Attributes:
        client: The official client, connected.
    """

    client: Client

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """What a tool answers, checked by the client against its schema."""
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, result
        assert isinstance(result.structured_content, dict)
        return result.structured_content

    async def refused(self, tool: str, **arguments: Any) -> str:
        """What a tool says when it fails."""
        result = await self.client.call_tool(tool, arguments)
        assert isinstance(result, CallToolResult)
        assert result.is_error
        (said,) = result.content
        assert isinstance(said, TextContent)
        return said.text


async def key(of: Web, tenant: str, *scopes: access.Scope) -> str:
    """A key of a tenant."""
    made = await of.grpc.keys.create(tenant=tenant, scopes=scopes)
    return made.api_key


@asynccontextmanager
async def connected(
    to: Web, transport: Transport = "http", *, api_key: str = "", options: tuple[str, ...] = ()
) -> AsyncIterator[Model]:
    """A model that is connected.

    Args:
        to: The mesh.
        transport: How.
        api_key: Its key; empty: that of the user who runs the test.
        options: Of `maie mcp`, over stdio.
    """
    async with (
        _over_http(to, api_key)
        if transport == "http"
        else _over_stdio(to, api_key, options) as client
    ):
        yield Model(client=client)


@asynccontextmanager
async def _over_http(to: Web, api_key: str) -> AsyncIterator[Client]:
    headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http,
        Client(streamable_http_client(f"{to.url}/mcp", http_client=http)) as client,
    ):
        yield client


@asynccontextmanager
async def _over_stdio(to: Web, api_key: str, options: tuple[str, ...]) -> AsyncIterator[Client]:
    command = ("-P", "-m", "maie_cli", "mcp", "--gateway", to.grpc.address, *options)
    environment = {**os.environ, "MAIE_API_KEY": api_key}
    server = StdioServerParameters(command=sys.executable, args=[*command], env=environment)
    async with Client(server) as client:
        yield client
