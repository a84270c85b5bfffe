"""HTTP to servers that are not trusted, each connection to an address that was checked."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from maie_gateway.egress.guard import UrlGuard


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


@asynccontextmanager
async def open_session(
    guard: UrlGuard, limits: ClientTimeout, user_agent: str
) -> AsyncIterator[ClientSession]:
    """A client that keeps no cookie and no connection, and goes through no proxy.

    Args:
        guard: Checks each address before a connection is opened to it.
        limits: How long requests may take.
        user_agent: What it says that it is.
    """

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
        timeout=limits,
        cookie_jar=DummyCookieJar(),
        headers={"user-agent": user_agent, "accept": "*/*"},
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield session


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
