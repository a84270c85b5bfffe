"""The proxies whose word on where requests come from is taken."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

import structlog

from maie_runtime.background import background_tasks
from maie_runtime.rpc.callers.forwarded import X_FORWARDED_FOR, in_list, origin, parsed
from maie_runtime.rpc.callers.local_user import LocalUser, end_of_peer
from maie_runtime.rpc.callers.socket_owner import Address

log = structlog.get_logger()

LOCAL_USER = "local-user"
"""In place of an address: programs of the user who runs the server, on the same machine."""
RESOLVE_SECONDS = 5.0
"""Interval between look-ups of names."""
PeerOf = Callable[[Any], str]
"""Gives from where the call of a ServicerContext comes, as gRPC writes it."""
# The last label begins with a letter: 10.0.0 is no name, but a mistake.
_NAME = re.compile(r"(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?\.)*[a-z](?:[-a-z0-9]*[a-z0-9])?")


def socket_peer(context: Any) -> str:
    """Who has the connection of a call, as gRPC writes it, such as "ipv4:127.0.0.1:41234"."""
    peer: str = context.peer()
    return peer


def check_proxies(entries: tuple[str, ...]) -> tuple[str, ...]:
    """Refuses what names no proxy.

    Raises:
        ValueError: One is no network, address or name, or is everybody.
    """
    for entry in entries:
        if entry != LOCAL_USER and not _NAME.fullmatch(entry) and _network(entry) is None:
            raise ValueError(
                f"{entry!r} names no proxy: write a network such as 10.20.0.0/16, an address, a "
                f"host's name in lower case, or {LOCAL_USER}"
            )
    return entries


class TrustedProxies:
    """The proxies that say truly from where requests come.

    Args:
        entries: Networks, addresses, names of hosts and `LOCAL_USER`, as `check_proxies` takes.

    Attributes:
        server: The HOST:PORT that requests come to, once it is bound.
    """

    def __init__(self, entries: Iterable[str] = ()) -> None:
        self.server = ""
        known = {entry: _network(entry) for entry in entries}
        self._networks = [each for each in known.values() if each is not None]
        self._local_user = LocalUser() if LOCAL_USER in known else None
        self._names = [e for e, found in known.items() if found is None and e != LOCAL_USER]
        self._resolved: frozenset[Address] = frozenset()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks names up again and again while the context lasts."""
        async with background_tasks(*([self._resolve()] if self._names else [])):
            yield

    def peer_of(self, context: Any) -> str:
        """From where a call comes, as gRPC writes it; without a port where a proxy named it."""
        peer = socket_peer(context)
        values = [
            value
            for key, value in context.invocation_metadata() or ()
            if key == X_FORWARDED_FOR and isinstance(value, str)
        ]
        if not values:
            return peer
        found = self.origin(peer, in_list(values))
        end = end_of_peer(peer)
        if found is None or (end is not None and found == end.address):
            return peer
        return f"ipv4:{found}" if found.version == 4 else f"ipv6:[{found}]"

    def origin(self, peer: str, named: Sequence[str]) -> Address | None:
        """From where a request comes; None where the peer has no IP address.

        Args:
            peer: Who has the connection, as gRPC writes it.
            named: The addresses that proxies saw, in order.
        """
        end = end_of_peer(peer)
        if end is None:
            return None
        before = parsed(named[-1]) if named and self._is_local(peer) else None
        if before is not None:
            # Nobody knows which user an address stands for that this one saw.
            return origin(before, named[:-1], self._has)
        return origin(end.address, named, self._has)

    def _has(self, address: Address) -> bool:
        return address in self._resolved or any(address in each for each in self._networks)

    def _is_local(self, peer: str) -> bool:
        if self._local_user is None:
            return False
        try:
            return self._local_user.has(peer, self.server)
        except OSError:
            return False

    async def _resolve(self) -> None:
        unknown: set[str] = set()
        while True:
            found = {name: await _addresses(name) for name in self._names}
            self._resolved = frozenset().union(*found.values())
            before, unknown = unknown, {name for name in self._names if not found[name]}
            for name in unknown - before:
                log.warning("proxy.name_unknown", name=name)
            await asyncio.sleep(RESOLVE_SECONDS)


async def _addresses(name: str) -> set[Address]:
    """The addresses of a host; none where it cannot be looked up, so that none is trusted."""
    try:
        answers = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return set()
    return {found for answer in answers if (found := parsed(str(answer[4][0])))}


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    try:
        network = ip_network(entry)
    except ValueError:
        return None
    return network if network.prefixlen else None
