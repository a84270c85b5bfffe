"""Ports for the parts of a local mesh."""

from __future__ import annotations

import random
import socket

from maie_cli.mesh.errors import MeshError

HOST = "127.0.0.1"
# Below Linux's range for the ports of outgoing connections, so that none of them takes a port
# between its choice and its use.
FREE_PORTS = range(20_000, 32_000)
TRIES = 1000


def is_free(port: int) -> bool:
    """Whether a port of this machine is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


class Ports:
    """Assigns ports, each once."""

    def __init__(self) -> None:
        self._given: set[int] = set()

    def take(self, port: int, option: str = "--port-base") -> str:
        """HOST:PORT of a port, or of any free one for 0.

        Args:
            port: The port.
            option: The command's option that chooses another one.

        Raises:
            MeshError: Another program listens there.
        """
        if port == 0:
            port = self._any()
        elif not is_free(port):
            raise MeshError(
                f"Port {port} is taken by another program; stop it, or choose other ports "
                f"with {option} (0 for any that are free)."
            )
        self._given.add(port)
        return f"{HOST}:{port}"

    def _any(self) -> int:
        for port in random.sample(FREE_PORTS, TRIES):
            if port not in self._given and is_free(port):
                return port
        raise MeshError(f"No port between {FREE_PORTS.start} and {FREE_PORTS.stop} is free.")
