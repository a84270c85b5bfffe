"""A local mesh whose broker is a cluster of three servers, with three copies of each stream."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from maie_cli.mesh.broker import credentials
from maie_cli.mesh.broker_care import (
    ANSWER_SECONDS,
    CHECK_EVERY_SECONDS,
    MIN_FREE_BYTES,
    cannot_write,
)
from maie_cli.mesh.child import Report
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import MeshOptions
from maie_cli.mesh.parts import NATS, Part
from maie_cli.mesh.ports import Ports
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker, open_broker
from maie_runtime.bus.credentials import Credentials
from maie_runtime.bus.provision import Wanted, provision
from maie_runtime.bus.rights import MONITOR, OPERATOR
from maie_runtime.bus.server_config import (
    ACCOUNTS_FILE,
    SERVER_FILE,
    Cluster,
    Server,
    ServerTls,
    server_text,
)
from maie_runtime.bus.server_report import ServerReport, open_monitor
from maie_runtime.bus.streams import STREAMS
from tests.certificates import LOCAL, TestCa
from tests.chaos.cluster.network import SERVERS, Networks
from tests.nats_cluster import cluster_of

CLIENT_PORT, ROUTE_PORT = 4222, 6222
START_SECONDS = 120.0


class ClusterMesh(LocalMesh):
    """A local mesh around a cluster of NATS.

    Args:
        options: As of a local mesh.
        report: As of a local mesh.
        networks: Where its servers run; None: all on the loopback address.

    Attributes:
        networks: The same.
    """

    def __init__(self, options: MeshOptions, report: Report, networks: Networks | None) -> None:
        super().__init__(options, report)
        self.networks = networks
        self._ca = TestCa(folder=self.layout.root.with_name(f"{self.layout.root.name}-ca"))
        self._url = ""

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Broker]:
        """A connection that may see everything."""
        inbox, mine = subjects.inbox(OPERATOR), self._credentials(OPERATOR)
        async with open_broker(self._url, "chaos", inbox=inbox, credentials=mine) as broker:
            yield broker

    async def reports(self, report: str, **options: Any) -> list[ServerReport]:
        """What the servers that answer report of themselves.

        Raises:
            nats.errors.Error: They refuse.
            OSError: None can be reached.
        """
        async with open_monitor(self._url, self._credentials(MONITOR)) as monitor:
            return await monitor.ask(report, len(SERVERS), ANSWER_SECONDS, **options)

    def _credentials(self, part: str) -> Credentials:
        self._ca.files(part)
        paths = self._ca.paths(part)
        return replace(
            credentials(self.layout, part),
            ca=paths["authorities"],
            certificate=paths["certificate"],
            key=paths["key"],
        )

    @property
    def ca(self) -> TestCa:
        """Who makes the certificates."""
        return self._ca

    def _plan(self) -> list[Part]:
        (broker, *others) = super()._plan()
        servers = self._servers(broker)
        self._url = ",".join(f"tls://{each.address}" for each in servers)
        self._ca.files("part")
        paths = self._ca.paths("part")
        shared = {
            "MAIE_NATS_URL": self._url,
            "MAIE_NATS_CA_FILE": str(paths["authorities"]),
            "MAIE_NATS_CERT_FILE": str(paths["certificate"]),
            "MAIE_NATS_KEY_FILE": str(paths["key"]),
        }
        return [
            *servers,
            *(replace(each, environment={**each.environment, **shared}) for each in others),
        ]

    async def _start_broker(self) -> None:
        await self._start_all([each for each in self.children.values() if each.part.is_broker])
        async with asyncio.timeout(START_SECONDS), self.connected() as broker:
            await _provisioned(broker)

    async def _care_for_broker(self) -> None:
        """Restarts a server that cannot write, once it has space, as its liveness probe would."""
        while True:
            await asyncio.sleep(CHECK_EVERY_SECONDS)
            with suppress(*BROKER_ERRORS):
                for report in await self.reports("HEALTHZ"):
                    free = shutil.disk_usage(self.layout.nats / report.server).free
                    if cannot_write(report.data) and free >= MIN_FREE_BYTES:
                        self.children[report.server].signal(signal.SIGTERM)

    def _servers(self, broker: Part) -> list[Part]:
        places = {server: self._places(server) for server in SERVERS}
        accounts = (self.layout.run / ACCOUNTS_FILE).read_text()
        return [self._server(server, places, accounts, broker) for server in SERVERS]

    def _places(self, server: int) -> tuple[str, str]:
        """Where a server answers clients, and the other servers."""
        if self.networks is None:
            ports = Ports()
            return ports.take(0), ports.take(0)
        return f"{self.networks.address(server)}:{CLIENT_PORT}", f"0.0.0.0:{ROUTE_PORT}"

    def _server(
        self, server: int, places: dict[int, tuple[str, str]], accounts: str, broker: Part
    ) -> Part:
        name = NATS if server == SERVERS[0] else f"{NATS}-{server}"
        folder = self.layout.run / name
        folder.mkdir(exist_ok=True)
        (folder / ACCOUNTS_FILE).write_text(accounts)
        listen, listen_to_servers = places[server]
        others = [other for other in SERVERS if other != server]
        cluster = Cluster(
            name="mesh",
            listen=listen_to_servers,
            routes=tuple(f"nats://{self._route(server, other, places)}" for other in others),
        )
        text = server_text(
            Server(
                name=name,
                listen=listen,
                store=self.layout.nats / name,
                tls=self._tls(name, server),
                cluster=cluster,
            )
        )
        (folder / SERVER_FILE).write_text(text)
        command: tuple[str, ...] = (broker.command[0], "--config", str(folder / SERVER_FILE))
        if self.networks is not None:
            command = (*self.networks.command(server), *command)
        return replace(broker, name=name, command=command, address=listen)

    def _route(self, server: int, other: int, places: dict[int, tuple[str, str]]) -> str:
        if self.networks is None:
            return places[other][1]
        return f"{self.networks.peer_address(server, of=other)}:{ROUTE_PORT}"

    def _tls(self, name: str, server: int) -> ServerTls:
        names = set(LOCAL)
        if self.networks is not None:
            others = [other for other in SERVERS if other != server]
            names.add(self.networks.address(server))
            names |= {self.networks.peer_address(other, of=server) for other in others}
        self._ca.write(name, self._ca.issue(name, sorted(names)))
        paths = self._ca.paths(name)
        return ServerTls(
            certificate=Path(paths["certificate"]),
            key=Path(paths["key"]),
            ca=Path(paths["authorities"]),
        )


async def _provisioned(broker: Broker) -> None:
    """Makes three copies of each stream, and waits until the broker answers to that."""
    while True:
        try:
            await provision(broker, Wanted(replicas=len(SERVERS)))
        except BROKER_ERRORS:
            await asyncio.sleep(0.2)
        else:
            return


async def leading(mesh: ClusterMesh, stream: str) -> str:
    """The part that leads a stream."""
    async with mesh.connected() as broker:
        found = (await cluster_of(broker, stream)).leader
    assert found is not None
    return found


async def lead(mesh: ClusterMesh, stream: str, server: str) -> None:
    """Has a part lead a stream."""
    wanted = json.dumps({"placement": {"preferred": server}}).encode()
    while await leading(mesh, stream) != server:
        async with mesh.connected() as broker:
            await broker.client.request(f"$JS.API.STREAM.LEADER.STEPDOWN.{stream}", wanted)
        await asyncio.sleep(0.5)


async def until_current(mesh: ClusterMesh) -> None:
    """Waits until each stream has a leader and all of its copies are current."""
    async with mesh.connected() as broker:
        for stream in STREAMS:
            while not await _is_current(broker, stream.name or ""):
                await asyncio.sleep(0.2)


async def _is_current(broker: Broker, stream: str) -> bool:
    copies = (await cluster_of(broker, stream)).replicas or ()
    return len(copies) == len(SERVERS) - 1 and all(each.current for each in copies)
