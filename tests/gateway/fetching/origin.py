"""A server on 127.0.0.1 that gives recordings, or lies and breaks as a test defines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from maie_gateway.egress.addresses import Network
from maie_gateway.egress.guard import Resolve, UrlGuard
from maie_gateway.fetching.settings import FetchSettings
from maie_gateway.fetching.source import Sources

LOOPBACK = FetchSettings(allowed_networks=["127.0.0.1/32"])  # type: ignore[arg-type]
AUDIO = b"RIFF\0\0\0\0WAVE" + bytes(range(256)) * 400
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(kw_only=True)
class Origin:
    """Answers each path as `answers` says, and what is not there with 404.

    Attributes:
        answers: The answers by path.
        requests: The requests that came, each as its lines.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[list[str]] = field(default_factory=list)
    port: int = 0

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for."""
        return [lines[0].split()[1] for lines in self.requests]

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """The URL of a path."""
        return f"http://{host}:{self.port}{path}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Origin]:
        """Listens as long as the context lasts."""
        server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(head.splitlines())
            await self.answers.get(self.paths[-1], status(404))(reader, writer)
        except ConnectionError:
            pass  # the client has what it wanted
        finally:
            writer.close()


def answer(content: bytes, code: int = 200, **headers: str) -> Answer:
    """An answer with a status, and with headers whose names have _ for -."""
    named = {"content_length": str(len(content)), **headers}
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items() if value]

    async def write(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {code} Any\r\n{''.join(lines)}\r\n".encode() + content)
        await writer.drain()

    return write


def status(code: int) -> Answer:
    """An answer without a recording."""
    return answer(b"", code)


def redirect(location: str, code: int = 302) -> Answer:
    """An answer that leads elsewhere."""
    return answer(b"", code, location=location)


def stalling(first: Answer | None = None) -> Answer:
    """Sends what `first` does, and then nothing any more."""

    async def write(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if first is not None:
            await first(reader, writer)
        await reader.read()  # until the client leaves

    return write


def addresses(**known: Sequence[str]) -> Resolve:
    """A resolver of the names NAME.test."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        name = host.removesuffix(".test")
        if name not in known:
            raise OSError("no such name")
        return known[name]

    return resolve


@asynccontextmanager
async def sources(resolve: Resolve, allowed: Sequence[Network] = ()) -> AsyncIterator[Sources]:
    """What opens URLs, for a resolver of the test's own."""
    guard = UrlGuard(resolve, allowed)
    async with Sources.opened(guard, connect_seconds=5) as opened:
        yield opened
