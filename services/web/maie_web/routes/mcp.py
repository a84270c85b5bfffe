"""The Model Context Protocol, for language models."""

from __future__ import annotations

from typing import cast

from litestar import Request
from litestar.di import NamedDependency
from litestar.types import ASGIApp
from mcp.server.mcpserver import MCPServer

from maie_mcp.http import Answer
from maie_web.callers import CallersClient, refuse_other_sites
from maie_web.handlers import post

Server = NamedDependency[MCPServer]


@post("/mcp", include_in_schema=False)
async def mcp(request: Request, client: CallersClient, mcp_server: Server) -> ASGIApp:
    """Answers a message of a client of MCP; pages of other sites are refused, whoever calls."""
    refuse_other_sites(request)
    return cast("ASGIApp", Answer(mcp_server, client))  # whose types are Starlette's
