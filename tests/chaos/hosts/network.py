"""Hosts as network namespaces on one bridge: each has an address, and loses it as a whole."""

from __future__ import annotations

import os
import subprocess

from tests.chaos.cluster.network import SERVERS, Networks, ip


class HostNetworks(Networks):
    """A namespace for each host. This machine reaches them as they reach each other."""

    def address(self, server: int) -> str:
        """Where everybody reaches a host."""
        return f"{self._subnet}.{server}"

    def peer_address(self, server: int, of: int) -> str:
        """Where a host reaches another one: where everybody does."""
        return self.address(of)

    def cut_off(self, server: int) -> None:
        """Cuts a host off from the others and from all clients."""
        ip("link", "set", self._link(server), "down")

    def heal(self, server: int) -> None:
        """Joins a host again."""
        ip("link", "set", self._link(server), "up")

    def make(self) -> None:
        """Makes all of it."""
        ip("link", "add", self._bridge, "type", "bridge")
        ip("address", "add", f"{self._subnet}.254/24", "dev", self._bridge)
        ip("link", "set", self._bridge, "up")
        for host in SERVERS:
            space, ours = self._space(host), self._link(host)
            ip("netns", "add", space)
            ip("-n", space, "link", "set", "lo", "up")
            ip("link", "add", ours, "type", "veth", "peer", "name", "wire", "netns", space)
            ip("link", "set", ours, "master", self._bridge, "up")
            ip("-n", space, "address", "add", f"{self.address(host)}/24", "dev", "wire")
            ip("-n", space, "link", "set", "wire", "up")

    def remove(self) -> None:
        """Removes all of it."""
        super().remove()
        subprocess.run(("ip", "link", "delete", self._bridge), check=False)

    @property
    def _subnet(self) -> str:
        # Of the block for measurements, apart from those of servers alone.
        return f"198.19.{100 + (os.getpid() + self._number) % 128}"

    @property
    def _bridge(self) -> str:
        return self._link(0)
