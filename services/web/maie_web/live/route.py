"""Live speech over a WebSocket."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from litestar import WebSocket, websocket
from litestar.di import NamedDependency
from litestar.exceptions import WebSocketDisconnect

from maie.live.v1 import live_pb2 as live
from maie_client import Client, ClientError
from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason
from maie_web.callers import LIVE_PROTOCOL, AllCallers
from maie_web.live.handshake import AnyWebSocket, accepted
from maie_web.live.messages import Reader, problem_text
from maie_web.live.passing import received
from maie_web.live.relay import Relay
from maie_web.live.sockets import OpenSockets
from maie_web.problems import document_of

# https://www.rfc-editor.org/rfc/rfc6455#section-7.4
OVER = 1000
RESTARTS = 1012
# Codes from 4000 on are an application's own; these say the HTTP status of the error.
PROBLEM = 4000
START_SECONDS = 30.0
CLOSE_SECONDS = 5.0


NamedSockets = NamedDependency[OpenSockets]


@websocket("/v1/live")
async def transcribe(socket: WebSocket, callers: AllCallers, sockets: NamedSockets) -> None:
    """Transcribes a live session, or goes on with one: LiveService.Transcribe.

    The first message is `start`. Where something fails, the last message has the problem, and the
    code of the close is 4000 and its status.
    """
    with sockets.one(), suppress(WebSocketDisconnect):
        try:
            client = await accepted(socket, callers, (LIVE_PROTOCOL,))
            await _converse(socket, client, sockets.closing)
        except (ClientError, StageError) as error:
            await _close(socket, error)


async def _converse(socket: AnyWebSocket, client: Client, closing: asyncio.Event) -> None:
    reader = Reader()
    start = await _start_of(socket, reader)
    async with client.live_session(start) as session:
        await Relay(socket, session, reader).run(closing)
    await socket.close(RESTARTS if closing.is_set() else OVER)


async def _start_of(socket: AnyWebSocket, reader: Reader) -> live.StartSession:
    try:
        async with asyncio.timeout(START_SECONDS):
            message = reader.read(await received(socket))
    except TimeoutError:
        raise StageError(
            Code.DEADLINE_EXCEEDED,
            Reason.REQUEST_LATE,
            f"No message came within {START_SECONDS:g} s; send `start` first.",
        ) from None
    if message is None or not message.HasField("start"):
        raise invalid(Reason.STREAM_OUT_OF_ORDER, "A session begins with `start`; send it first.")
    return message.start


async def _close(socket: AnyWebSocket, error: Exception) -> None:
    """Says what is wrong, as the last message."""
    document = document_of(error)
    with suppress(TimeoutError, WebSocketDisconnect):
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket.send_text(problem_text(document))
            await socket.close(PROBLEM + document.status, document.reason)
