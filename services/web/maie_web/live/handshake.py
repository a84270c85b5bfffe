"""The beginning of a WebSocket, which says who calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect
from litestar.serialization import encode_json

from maie_client import Client, ClientError
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_web.callers import Callers
from maie_web.problems import MEDIA_TYPE, document_of

AnyWebSocket = WebSocket[Any, Any, Any]


async def accepted(socket: AnyWebSocket, callers: Callers, protocols: Sequence[str]) -> Client:
    """Accepts a WebSocket, and gives the client that acts for who opened it.

    Args:
        socket: The WebSocket.
        callers: Says who calls.
        protocols: The subprotocols that are spoken, the best first.

    Raises:
        StageError: UNAUTHENTICATED, as `Callers.client_of`. The WebSocket is accepted, since a page
            cannot read why one is refused.
        ClientError: The same.
        WebSocketDisconnect: A page of another site opened it, which was refused.
    """
    try:
        client = await callers.client_of(socket)
    except (ClientError, StageError) as error:
        if isinstance(error, StageError) and error.reason == Reason.ORIGIN_REFUSED:
            document = document_of(error)
            await refuse(socket, document.status, encode_json(document), MEDIA_TYPE)
            raise WebSocketDisconnect(detail="a page of another site", code=1008) from error
        await accept(socket, callers, protocols)
        raise
    await accept(socket, callers, protocols)
    return client


async def accept(socket: AnyWebSocket, callers: Callers, protocols: Sequence[str]) -> None:
    """Accepts a WebSocket with the best of some subprotocols that was offered."""
    offered = socket.scope["subprotocols"]
    await socket.accept(
        subprotocols=next((each for each in protocols if each in offered), None),
        headers=[each.to_encoded_header() for each in callers.renewed_cookies(socket)],
    )


async def refuse(
    socket: AnyWebSocket,
    status: int,
    body: bytes,
    media_type: str,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Refuses the handshake, so that a page of another site does not even get a connection."""
    found = {"content-type": media_type, **(headers or {})}
    start: Any = {
        "type": "websocket.http.response.start",
        "status": status,
        "headers": [
            (name.encode(), value.encode("latin-1", "replace")) for name, value in found.items()
        ],
    }
    content: Any = {"type": "websocket.http.response.body", "body": body}
    await socket.send(start)
    await socket.send(content)
