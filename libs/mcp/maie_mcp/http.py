"""MCP over Streamable HTTP, without sessions, so that any of several processes can answer."""

from __future__ import annotations

from typing import Any, cast

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from maie_client import Client

MOST_BODY_BYTES = 256 * 1024
"""Of a request, which holds the arguments of one tool."""
_CLIENT = "maie.client"


def client_of(ctx: Context[Any, Any]) -> Client:
    """The client that acts for who sent a request, as `Answer` was given it."""
    request = cast("Request", ctx.request_context.request)
    client: Client = request.scope[_CLIENT]
    return client


class Answer:
    """The answer to one request, as an ASGI application.

    Who answers checks before who calls, and where the request comes from.

    Args:
        server: The server, made with `client_of`.
        client: The client that acts for who sent the request.
    """

    def __init__(self, server: MCPServer, client: Client) -> None:
        self._server = server
        self._client = client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers."""
        # The one way to a manager of this request's own; nothing awaits in between.
        self._server.streamable_http_app(
            json_response=True,
            stateless_http=True,
            max_request_body_size=MOST_BODY_BYTES,
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        manager = self._server.session_manager
        async with manager.run():
            await manager.handle_request({**scope, _CLIENT: self._client}, receive, send)
