"""Passes messages between a page and a live session, in both directions at once."""

from __future__ import annotations

import asyncio

from maie.live.v1 import live_pb2 as live
from maie_client import ClientError
from maie_client.live import LiveSession
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_web.live.handshake import AnyWebSocket
from maie_web.live.messages import OF_TRACKS, Reader, event_text
from maie_web.live.passing import received, show, until_one_ends

# Of the gateway's call. The session goes on in another one, and the page in its connection.
_OF_CALLS = frozenset({"started", "go_away"})


class Relay:
    """One page and its live session.

    Args:
        socket: The page.
        session: The session, which has begun.
        reader: Reads what the page sends.
    """

    def __init__(self, socket: AnyWebSocket, session: LiveSession, reader: Reader) -> None:
        self._socket = socket
        self._session = session
        self._reader = reader
        self._dropped: set[str] = set()
        interval = session.started.heartbeat_interval
        self._heartbeat = interval.ToTimedelta().total_seconds() or None

    async def run(self, closing: asyncio.Event) -> None:
        """Runs until the session is over, the page leaves, or the web part stops.

        Raises:
            ClientError: The session cannot go on.
            StageError: INVALID_ARGUMENT: the page sent what is none of the contract's messages;
                DEADLINE_EXCEEDED with CALLER_STALLED: it takes nothing.
            WebSocketDisconnect: The page left.
        """
        await until_one_ends(self._send(), self._receive(), closing.wait())
        if closing.is_set():
            await self._show(live.TranscribeResponse(go_away=live.GoAway()))

    async def _receive(self) -> None:
        while True:
            await self._take(await received(self._socket))

    async def _take(self, content: str | bytes) -> None:
        message = self._reader.read(content)
        kind = message.WhichOneof("request") if message is not None else None
        if message is None or kind == "keep_alive":
            return
        if kind in OF_TRACKS:
            await self._add(message, getattr(message, kind or "").track)
        elif kind == "configure":
            track = message.configure.track if message.configure.HasField("track") else None
            await self._session.configure(message.configure.options, track)
        elif kind == "end":
            self._session.request_end(message.end)
        else:
            raise invalid(Reason.STREAM_OUT_OF_ORDER, "The session has begun; `start` comes once.")

    async def _add(self, message: live.TranscribeRequest, track: str) -> None:
        try:
            await self._session.add(message)
        except ClientError:
            if track not in self._dropped:
                raise

    async def _send(self) -> None:
        begun = False
        while (event := await self._next()) is not None:
            if event.warning.track_dropped:
                self._dropped.add(event.warning.track)
            if begun and event.WhichOneof("event") in _OF_CALLS:
                continue
            begun = True
            await self._show(event)

    async def _next(self) -> live.TranscribeResponse | None:
        """The next event, or a heartbeat in its place; None after the last."""
        try:
            async with asyncio.timeout(self._heartbeat):
                return await anext(self._session, None)
        except TimeoutError:
            return live.TranscribeResponse(acknowledged=live.Acknowledged())

    async def _show(self, event: live.TranscribeResponse) -> None:
        await show(self._socket, event_text(event))
