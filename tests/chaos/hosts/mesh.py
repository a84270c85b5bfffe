"""A mesh on three hosts: on each a server of NATS, a gateway, and a worker of each stage."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from maie_cli.mesh.child import Child
from maie_cli.mesh.parts import GATEWAY, Part
from maie_client import Client, Tls
from maie_core.api_keys import BOOTSTRAP_ID, new_key
from tests.chaos.cluster.mesh import ClusterMesh
from tests.chaos.cluster.network import SERVERS

GATEWAY_PORT = 50051
# The name that all gateways share in their certificates.
NAME = "gateway.example"
START_SECONDS = 120.0
# All submits are of one key. While the broker has no leader, they wait and others come.
MAX_UPLOADS = 256


class HostsMesh(ClusterMesh):
    """A cluster of NATS with the other parts on the hosts of its servers.

    The folder with objects is that of all hosts, as a network file system would be.
    """

    def client(self, *hosts: int) -> Client:
        """A client of the gateways of some hosts, or of all, which spreads its calls."""
        addresses = ",".join(self._gateway_address(host) for host in hosts or SERVERS)
        tls = Tls(ca_file=self.ca.ca_file, server_name=NAME)
        return Client(f"ipv4:{addresses}", tls=tls, token=self._key_file.read_text().strip())

    def parts_of(self, host: int) -> list[Child]:
        """All that runs on a host."""
        command = self._command(host)
        return [
            child
            for child in self.children.values()
            if child.part.command[: len(command)] == command
        ]

    async def kill(self, host: int) -> None:
        """Kills all that runs on a host at once; nobody starts it again."""
        parts = self.parts_of(host)
        for child in parts:
            child.signal(signal.SIGKILL)
        await asyncio.gather(*(child.stop(0.0) for child in parts))

    async def start_host(self, host: int) -> None:
        """Starts all that runs on a host, at once, as a machine does.

        Raises:
            MeshError: A part does not start.
        """
        parts = self.parts_of(host)
        await asyncio.gather(*(child.start() for child in parts))
        await self.wait_ready(host)

    async def wait_ready(self, host: int) -> None:
        """Waits until all parts of a host are ready.

        Raises:
            MeshError: One is not.
        """
        await asyncio.gather(*(child.wait_ready(START_SECONDS) for child in self.parts_of(host)))

    def _plan(self) -> list[Part]:
        parts = super()._plan()
        self._key_file.write_text(f"{new_key(BOOTSTRAP_ID).text}\n")
        self.ca.write(GATEWAY, self.ca.issue(GATEWAY, [NAME]))
        others = [part for part in parts if not part.is_broker]
        servers = [part for part in parts if part.is_broker]
        return [*servers, *(part for host in SERVERS for part in self._on(host, others))]

    def _on(self, host: int, parts: list[Part]) -> Iterator[Part]:
        """The parts besides the server, as they run on a host."""
        for part in parts:
            name = part.name if host == SERVERS[0] else f"{part.name}-{host}"
            health = self.layout.health_file(name)
            own = self._gateway(host) if part.stage == GATEWAY else _worker(part.stage, host)
            yield replace(
                part,
                name=name,
                command=(*self._command(host), *part.command),
                address=self._gateway_address(host) if part.stage == GATEWAY else "",
                environment={**part.environment, **own, "MAIE_HEALTH_FILE": str(health)},
                health_file=health,
            )

    def _gateway(self, host: int) -> dict[str, str]:
        paths = self.ca.paths(GATEWAY)
        read_model = self.layout.root / f"readmodel-{host}.db"
        return {
            "MAIE_GATEWAY_LISTEN": self._gateway_address(host),
            "MAIE_GATEWAY_TLS_CERT_FILE": str(paths["certificate"]),
            "MAIE_GATEWAY_TLS_KEY_FILE": str(paths["key"]),
            "MAIE_GATEWAY_BOOTSTRAP_KEY_FILE": str(self._key_file),
            "MAIE_GATEWAY_MAX_UPLOADS": str(MAX_UPLOADS),
            "MAIE_GATEWAY_READ_MODEL_URL": f"sqlite:///{read_model}",
        }

    @property
    def _key_file(self) -> Path:
        return self.layout.run / "key"

    def _gateway_address(self, host: int) -> str:
        assert self.networks is not None
        return f"{self.networks.address(host)}:{GATEWAY_PORT}"

    def _command(self, host: int) -> tuple[str, ...]:
        assert self.networks is not None
        return self.networks.command(host)


def _worker(stage: str, host: int) -> dict[str, str]:
    prefix = f"MAIE_{stage.upper()}_"
    return {f"{prefix}RPC": "off", f"{prefix}INSTANCE": f"{stage}-{host}"}
