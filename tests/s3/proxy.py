"""An HTTP proxy before an S3 server that answers wrongly on purpose."""

from __future__ import annotations

import asyncio
import enum
import random
from collections import Counter
from dataclasses import dataclass, field
from io import BytesIO
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web
from yarl import URL

MAX_BODY_BYTES = 64 * 1024 * 1024
SLOW_SECONDS = (1.0, 3.0)
PIECE_BYTES = 16 * 1024
# Of one connection, and so set by each side for itself.
HOP_BY_HOP = ("Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length")
SLOW_DOWN = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code>'
    b"<Message>Please reduce your request rate.</Message></Error>"
)


class Wrong(enum.Enum):
    """What is wrong with an answer."""

    BUSY = "503 instead of an answer"
    SLOW = "an answer that comes seconds later"
    HUNG = "no answer"
    RESET = "a connection that breaks before the answer, with the request carried out or not"
    CUT = "a connection that breaks within the content"
    SHORT = "half of the content, and a length that says that it is all"
    DAMAGED = "content of which a bit is flipped"
    DAMAGED_WRITE = "a bit of what is written is flipped on its way"


@dataclass(kw_only=True, slots=True)
class _Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(kw_only=True)
class FaultyProxy:
    """Passes requests on to a server; an asynchronous context manager.

    Args:
        target: HOST:PORT of the server.
        chance: Which requests get a wrong answer.

    Attributes:
        wrong: What is wrong with answers; None for nothing.
        share: How many of the answers are wrong: from 0, none, to 1, all.
        most: How many wrong answers it makes at most; None for any number.
        address: HOST:PORT where it listens.
        made: How many wrong answers it made, by what was wrong.
    """

    target: str
    chance: random.Random = field(default_factory=random.Random)
    wrong: Wrong | None = None
    share: float = 1.0
    most: int | None = None
    address: str = ""
    made: Counter[Wrong] = field(default_factory=Counter)

    async def __aenter__(self) -> Self:
        self._closing = asyncio.Event()
        # What is compressed stays so, and signatures cover the path as it was written.
        self._upstream = aiohttp.ClientSession(auto_decompress=False)
        server = web.Server(self._pass_on)
        self._runner = web.ServerRunner(server, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.address = f"{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()
        await self._runner.cleanup()
        await self._upstream.close()

    async def _pass_on(self, request: web.BaseRequest) -> web.StreamResponse:
        wrong = self._choose(request.method)
        if wrong is Wrong.HUNG:
            await self._closing.wait()
            return _broken_off(request)
        if wrong is Wrong.BUSY:
            return web.Response(status=503, body=SLOW_DOWN, content_type="application/xml")
        if wrong is Wrong.SLOW:
            await asyncio.sleep(self.chance.uniform(*SLOW_SECONDS))
        if wrong is Wrong.RESET and self.chance.random() < 0.5:
            return _broken_off(request)
        body = await request.content.read()
        if wrong is Wrong.DAMAGED_WRITE:
            body = _flipped(body)
        try:
            answer = await self._ask(request, body)
        except aiohttp.ClientError:
            return _broken_off(request)
        if wrong is Wrong.RESET:
            return _broken_off(request)
        return await _send(request, answer, wrong)

    def _choose(self, method: str) -> Wrong | None:
        wrong = self.wrong
        reads = wrong in (Wrong.CUT, Wrong.SHORT, Wrong.DAMAGED)
        if (reads and method != "GET") or (wrong is Wrong.DAMAGED_WRITE and method != "PUT"):
            return None
        if wrong is None or self.chance.random() >= self.share:
            return None
        if self.most is not None and self.made.total() >= self.most:
            return None
        self.made[wrong] += 1
        return wrong

    async def _ask(self, request: web.BaseRequest, body: bytes) -> _Answer:
        headers = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
        url = URL(f"http://{self.target}{request.raw_path}", encoded=True)
        data = BytesIO(body) if body else None
        async with self._upstream.request(
            request.method, url, headers=headers, data=data, allow_redirects=False
        ) as found:
            kept = {name: value for name, value in found.headers.items() if name not in HOP_BY_HOP}
            length = found.headers.get("Content-Length", "0")
            if request.method == "HEAD":
                kept["Content-Length"] = length
            return _Answer(status=found.status, headers=kept, body=await found.read())


async def _send(
    request: web.BaseRequest, answer: _Answer, wrong: Wrong | None
) -> web.StreamResponse:
    body = answer.body
    if wrong is Wrong.SHORT:
        body = body[: len(body) // 2]
    if wrong is Wrong.DAMAGED:
        body = _flipped(body)
    if wrong is not Wrong.CUT:
        return web.Response(status=answer.status, headers=answer.headers, body=body)
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    return _broken_off(request)


def _broken_off(request: web.BaseRequest) -> web.StreamResponse:
    """Breaks the connection; what is returned goes nowhere."""
    if request.transport is not None:  # the other side has not gone
        request.transport.abort()
    return web.Response()


def _flipped(body: bytes) -> bytes:
    """The same with one bit flipped in the middle."""
    place = len(body) // 2
    return body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :] if body else body
