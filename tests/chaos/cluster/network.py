"""Networks of a broker's servers: namespaces, which only root may make, and links to cut."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import combinations, count
from typing import TypeVar

SERVERS = (1, 2, 3)
# Several runs at a time have addresses of their own.
BLOCKS = 60
NUMBERS = count()


@cache
def no_networks() -> str | None:
    """Why no networks can be had here; None where they can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "networks to cut are namespaces, which only root on Linux may make"
    try:
        with networks(Networks):
            return None
    except (RuntimeError, OSError) as error:
        return str(error)


class Networks:
    """A namespace for each server, a link from this machine to each, and one between any two.

    The addresses are of a block for measurements, which no network uses.
    """

    def __init__(self) -> None:
        # A trial may have a mesh of its own beside that of the others.
        self._number = next(NUMBERS)
        self._prefix = f"maie-{os.getpid()}-{self._number}"
        self._block = (os.getpid() + self._number) % BLOCKS * (len(SERVERS) + 1)

    def command(self, server: int) -> tuple[str, ...]:
        """What a command is begun with to run where a server is."""
        return ("/usr/sbin/ip", "netns", "exec", self._space(server))

    def address(self, server: int) -> str:
        """Where clients on this machine reach a server."""
        return f"198.18.{self._block + server}.2"

    def peer_address(self, server: int, of: int) -> str:
        """Where a server reaches another one."""
        low, high = sorted((server, of))
        return f"198.19.{low}{high}.{1 if of == low else 2}"

    def cut_off(self, server: int) -> None:
        """Cuts a server off from the others and from all clients."""
        self.part(server)
        self._set(server, "clients", up=False)

    def part(self, server: int) -> None:
        """Cuts a server off from the others; clients still reach it."""
        for other in SERVERS:
            if other != server:
                self._set(server, f"to-{other}", up=False)

    def heal(self, server: int) -> None:
        """Joins a server again."""
        for link in ("clients", *(f"to-{other}" for other in SERVERS if other != server)):
            self._set(server, link, up=True)

    def make(self) -> None:
        """Makes all of it."""
        for server in SERVERS:
            space, ours = self._space(server), self._link(server)
            ip("netns", "add", space)
            ip("-n", space, "link", "set", "lo", "up")
            ip("link", "add", ours, "type", "veth", "peer", "name", "clients", "netns", space)
            ip("address", "add", f"198.18.{self._block + server}.1/30", "dev", ours)
            ip("link", "set", ours, "up")
            ip("-n", space, "address", "add", f"{self.address(server)}/30", "dev", "clients")
            self._set(server, "clients", up=True)
        for one, other in combinations(SERVERS, 2):
            own = ("link", "add", f"to-{other}", "type", "veth")
            ip(
                "-n",
                self._space(one),
                *own,
                "peer",
                "name",
                f"to-{one}",
                "netns",
                self._space(other),
            )
            for server, far in ((one, other), (other, one)):
                place = f"{self.peer_address(far, of=server)}/30"
                ip("-n", self._space(server), "address", "add", place, "dev", f"to-{far}")
                self._set(server, f"to-{far}", up=True)

    def remove(self) -> None:
        """Removes all of it."""
        for server in SERVERS:
            subprocess.run(("ip", "link", "delete", self._link(server)), check=False)
            subprocess.run(("ip", "netns", "delete", self._space(server)), check=False)

    def _space(self, server: int) -> str:
        """The namespace of a server."""
        return f"{self._prefix}-{server}"

    def _link(self, server: int) -> str:
        """The end on this machine of the link to a server; a name has 15 characters at most."""
        return f"mc{os.getpid() % 2**28:x}-{self._number % 1000}-{server}"

    def _set(self, server: int, link: str, *, up: bool) -> None:
        ip("-n", self._space(server), "link", "set", link, "up" if up else "down")


AnyNetworks = TypeVar("AnyNetworks", bound=Networks)


@contextmanager
def networks(kind: type[AnyNetworks]) -> Iterator[AnyNetworks]:
    """Makes networks, and removes them at the end.

    Raises:
        RuntimeError: They cannot be made; the message says why.
    """
    made = kind()
    try:
        made.make()
        yield made
    finally:
        made.remove()


def ip(*arguments: str) -> None:
    """Changes the network.

    Raises:
        RuntimeError: It cannot be done; the message says why.
    """
    done = subprocess.run(("ip", *arguments), check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"no network can be made here: {done.stderr.strip()}")
