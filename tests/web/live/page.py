"""A page that speaks: what a browser does with the WebSocket of live speech."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.gateway.live.speech import pieces
from tests.waiting import PATIENCE_SECONDS, until

CONFIG = {
    "format": {"encoding": "LINEAR16", "sample_rate_hertz": 16000},
    "job": {"features": ["raw_transcript"]},
}


class Page:
    """One WebSocket, whose events are read as they come.

    Attributes:
        socket: The connection.
        events: All events so far.
        problem: The problem that was the last message; None for none.
        code: With what code it was closed.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []
        self.problem: dict[str, Any] | None = None
        self.code = 0
        self.over = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for text in self.socket:
                message = json.loads(text)
                assert self.problem is None
                self.problem = message.get("problem")
                if self.problem is None:
                    self.events.append(message)
        except ConnectionClosed:
            pass
        self.code = self.socket.close_code or 0
        self.over.set()

    async def send(self, **message: Any) -> None:
        """Sends a control message."""
        await self.socket.send(json.dumps(message))

    async def speak(self, sound: bytes, track: str = "") -> None:
        """Sends sound of a track."""
        await self.send(audio={"track": track})
        for piece in pieces(sound):
            await self.socket.send(piece)

    async def start(self, **start: Any) -> dict[str, Any]:
        """Begins a session, or goes on with one."""
        await self.send(start=start or {"config": CONFIG})
        found: dict[str, Any] = (await self.next("started"))[0]["started"]
        return found

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind."""
        return [event for event in self.events if kind in event]

    def finals(self) -> list[tuple[int, str]]:
        """The finals so far: their numbers and texts."""
        return [
            (int(each["sequence"]), each["final"]["segment"]["text"]) for each in self.of("final")
        ]

    def durable(self, track: str = "") -> int:
        """The last message of a track that need not be sent again."""
        return max(
            (
                int(progress["durable_sequence"])
                for event in self.of("acknowledged")
                for progress in event["acknowledged"]["tracks"]
                if progress["track"] == track
            ),
            default=0,
        )

    async def next(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """Waits for so many events of a kind."""
        await until(lambda: len(self.of(kind)) >= count or self.over.is_set())
        assert len(self.of(kind)) >= count, (self.problem, self.code, self.events[-3:])
        return self.of(kind)

    async def failure(self) -> tuple[int, str]:
        """Waits until it is closed with a problem; gives code and reason."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.over.wait()
        assert self.problem is not None, (self.code, self.events[-3:])
        assert self.code == 4000 + self.problem["status"]
        reason: str = self.problem["reason"]
        return self.code, reason

    async def close(self) -> None:
        """Leaves."""
        await self.socket.close()
        await self._reading


@asynccontextmanager
async def a_page(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    origin: str | None = None,
    subprotocols: Sequence[str] = (),
    **options: Any,
) -> AsyncIterator[Page]:
    """A page that is connected."""
    socket = await connect(
        f"{url.replace('http', 'ws', 1)}/v1/live",
        additional_headers=dict(headers or {}),
        origin=origin,  # type: ignore[arg-type]
        subprotocols=list(subprotocols) or None,  # type: ignore[arg-type]
        proxy=None,
        **options,
    )
    page = Page(socket)
    try:
        yield page
    finally:
        await page.close()
