"""One POST to a receiver that is not trusted."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from maie_gateway.webhooks.guard import UrlGuard

USER_AGENT = f"maie-webhooks/{version('maie-gateway')}"


class _GuardedResolver(AbstractResolver):
    """Gives the connector the checked addresses and no others.

    The connector connects to exactly these, and takes Host, SNI and the
    certificate's name from the URL.
    """

    def __init__(self, guard: UrlGuard) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in await self._guard.addresses(host, port)
        ]

    async def close(self) -> None:
        return


class Poster:
    """Sends POSTs; follows no redirect, keeps no cookie, reads no answer's body."""

    def __init__(self, session: ClientSession, guard: UrlGuard) -> None:
        self._session = session
        self._guard = guard

    async def post(self, url: str | URL, headers: Mapping[str, str], content: bytes) -> int:
        """Sends a POST and returns the status of the answer.

        Raises:
            StageError: INVALID_ARGUMENT with URI_NOT_ALLOWED.
            TimeoutError: There was no answer in time.
            OSError, aiohttp.ClientError: There was no answer.
        """
        parsed = self._guard.parse(str(url))
        response = await self._session.post(
            parsed, data=content, headers=headers, allow_redirects=False
        )
        # Whatever else it sends is not for us, however much it is.
        response.close()
        return response.status


@asynccontextmanager
async def open_poster(guard: UrlGuard, timeout_seconds: float) -> AsyncIterator[Poster]:
    """A client whose every connection goes to an address that was just checked."""

    def open_socket(info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, address = info
        if not guard.may_connect(address[0]):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        return socket.socket(family, kind, protocol)

    connector = TCPConnector(
        resolver=_GuardedResolver(guard),
        use_dns_cache=False,
        # A connection that is kept would outlive the check of its address.
        force_close=True,
        limit=0,
        socket_factory=open_socket,
    )
    async with ClientSession(
        connector=connector,
        timeout=ClientTimeout(total=timeout_seconds),
        cookie_jar=DummyCookieJar(),
        headers={"user-agent": USER_AGENT, "accept": "*/*"},
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield Poster(session, guard)


def host_of(url: str) -> str:
    """The host and port of a URL, the only parts that may be logged."""
    try:
        parsed = URL(url)
        return f"{parsed.host}:{parsed.port}"
    except ValueError:
        return ""


def server_of(url: str) -> dict[str, str | int]:
    """The host and port of a URL, as spans have them."""
    host, _, port = host_of(url).rpartition(":")
    return {"server.address": host, "server.port": int(port)} if port.isdigit() else {}
