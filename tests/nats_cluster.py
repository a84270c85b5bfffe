"""A JetStream cluster of three real nats-server processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from nats.js.api import ClusterInfo

from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker, open_broker
from maie_runtime.bus.credentials import NO_CREDENTIALS, Credentials
from maie_runtime.bus.provision import Wanted, open_provisioned_broker
from maie_runtime.bus.rights import MONITOR, OPERATOR, PROVISION, parts
from maie_runtime.bus.seeds import make_seed, seed_file
from maie_runtime.bus.server_config import (
    ACCOUNTS_FILE,
    SERVER_FILE,
    Cluster,
    Server,
    ServerTls,
    accounts_text,
    server_text,
)
from tests.certificates import TestCa
from tests.conftest import NATS_SERVER, NatsServer, free_port
from tests.waiting import PATIENCE_SECONDS

SERVERS = 3
NAME = "mesh"


class ClusterServer(NatsServer):
    """A server whose configuration says all about it."""

    def command(self) -> tuple[str, ...]:
        """The command that starts it."""
        return (str(NATS_SERVER), "--config", str(self.config))


class NatsCluster:
    """Three servers, stopped at first.

    Args:
        folder: For their files.
        ca: Who makes their certificates. Set: they are configured as by `maie nats config`, with
            TLS and an account for each part. None: all who reach them may do
            everything.

    Attributes:
        servers: The servers by their names.
    """

    def __init__(self, folder: Path, ca: TestCa | None = None) -> None:
        self._ca = ca
        self._seeds = folder / "nkeys"
        ports = [free_port() for _ in range(2 * SERVERS)]
        routes = tuple(f"nats://127.0.0.1:{port}" for port in ports[SERVERS:])
        self.servers: dict[str, ClusterServer] = {}
        for number in range(SERVERS):
            name = f"nats-{number + 1}"
            own = folder / name
            own.mkdir(parents=True)
            cluster = Cluster(name=NAME, listen=routes[number].partition("//")[2], routes=routes)
            server = Server(
                name=name,
                listen=f"127.0.0.1:{ports[number]}",
                store=own / "store",
                tls=_tls(ca, name) if ca else None,
                cluster=cluster if ca else None,
            )
            text = server_text(server)
            if not ca:
                text += f"cluster: {json.dumps(_open_cluster(cluster))}\n"
            (own / ACCOUNTS_FILE).write_text(self._accounts() if ca else "")
            (own / SERVER_FILE).write_text(text)
            self.servers[name] = ClusterServer(
                port=ports[number], store=own, config=own / SERVER_FILE
            )

    @property
    def url(self) -> str:
        """Where all of them answer."""
        scheme = "tls" if self._ca else "nats"
        return ",".join(f"{scheme}://127.0.0.1:{each.port}" for each in self.servers.values())

    async def start(self) -> None:
        """Starts all of them, each of which waits for another."""
        await asyncio.gather(*(each.start() for each in self.servers.values()))

    async def stop(self) -> None:
        """Ends those that run."""
        await asyncio.gather(*(each.stop(kill=True) for each in self.servers.values()))

    def seed(self, part: str) -> Path:
        """The file with a part's seed."""
        return seed_file(self._seeds, part)

    def credentials(self, part: str) -> Credentials:
        """What a part connects with."""
        if self._ca is None:
            return NO_CREDENTIALS
        self._ca.files(part)
        paths = self._ca.paths(part)
        return Credentials(
            nkey=self.seed(part),
            ca=paths["authorities"],
            certificate=paths["certificate"],
            key=paths["key"],
        )

    @asynccontextmanager
    async def provisioned(self, replicas: int = SERVERS) -> AsyncIterator[Broker]:
        """The broker as `maie provision --replicas` leaves it, once all copies are there."""
        async with open_provisioned_broker(
            self.url,
            PROVISION,
            Wanted(replicas=replicas),
            inbox=subjects.inbox(PROVISION),
            credentials=self.credentials(PROVISION),
        ) as broker:
            yield broker

    @asynccontextmanager
    async def connected(self, part: str = OPERATOR) -> AsyncIterator[Broker]:
        """A connection as a part has it."""
        async with open_broker(
            self.url, part, inbox=subjects.inbox(part), credentials=self.credentials(part)
        ) as broker:
            yield broker

    def _accounts(self) -> str:
        keys = {each: make_seed(self._seeds, each) for each in (*parts(), OPERATOR, MONITOR)}
        return accounts_text(keys)


async def leader_of(broker: Broker, stream: str, *, copies: int = 0) -> str:
    """The name of the server that leads a stream, once so many copies are as far as its own."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            cluster = await cluster_of(broker, stream)
            assert cluster.leader is not None
            if sum(bool(each.current) for each in cluster.replicas or ()) >= copies:
                return cluster.leader
            await asyncio.sleep(0.05)


async def cluster_of(broker: Broker, stream: str) -> ClusterInfo:
    """What the leader of a stream knows of its copies, once there is a leader."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with suppress(*BROKER_ERRORS):
                cluster = (await broker.jetstream.stream_info(stream)).cluster
                if cluster is not None and cluster.leader:
                    return cluster
            await asyncio.sleep(0.05)


def _tls(ca: TestCa, name: str) -> ServerTls:
    ca.files(name)
    paths = ca.paths(name)
    return ServerTls(certificate=paths["certificate"], key=paths["key"], ca=paths["authorities"])


def _open_cluster(cluster: Cluster) -> dict[str, object]:
    return {"name": cluster.name, "listen": cluster.listen, "routes": list(cluster.routes)}
