"""The NATS servers of the chart as processes of this machine, with certificates and seeds."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from maie_runtime.bus.credentials import Credentials
from maie_runtime.bus.rights import OPERATOR, parts
from maie_runtime.bus.seeds import make_seed, seed_file
from maie_runtime.bus.server_config import accounts_text
from tests.certificates import TestCa
from tests.conftest import NATS_SERVER, free_port
from tests.helm.rendering import named, objects

PORTS = ("4222", "6222", "8222")
SERVERS = 3


@dataclass(kw_only=True, frozen=True, slots=True)
class Cluster:
    """Servers that run.

    Attributes:
        url: The URLs of all of them.
        ca: The CA of their certificates.
        seeds: The folder with the seed of each part.
    """

    url: str
    ca: TestCa
    seeds: Path

    def credentials(self, part: str) -> Credentials:
        """What a part connects with."""
        return Credentials(nkey=seed_file(self.seeds, part), ca=self.ca.ca_file)


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[Cluster]:
    """The servers with the configuration that the chart renders.

    Args:
        folder: For their files.
    """
    ca = TestCa(folder=folder / "ca")
    for place in ("nats", "cluster"):
        write_certificate(ca, "nats", folder / "nats-certs" / place)
    seeds = folder / "nkeys"
    keys = {part: make_seed(seeds, part) for part in (*parts(), OPERATOR)}
    (folder / "nats-accounts").mkdir()
    (folder / "nats-accounts/accounts.conf").write_text(accounts_text(keys, {}))
    text = named(objects("cpu-only"), "ConfigMap", "maie-nats-config")["data"]["nats.conf"]
    ports = [[free_port() for _ in PORTS] for _ in range(SERVERS)]
    async with AsyncExitStack() as stack:
        for i in range(SERVERS):
            (folder / str(i) / "config").mkdir(parents=True)
            config = folder / str(i) / "config/nats.conf"
            config.write_text(_moved(text, folder / str(i), ports, i))
            await stack.enter_async_context(_server(config, folder / f"{i}.log", i))
        url = ",".join(f"tls://127.0.0.1:{each[0]}" for each in ports)
        yield Cluster(url=url, ca=ca, seeds=seeds)


def write_certificate(ca: TestCa, part: str, folder: Path) -> None:
    """Makes a part's certificate, with the names that a TLS Secret has."""
    folder.mkdir(parents=True)
    issued = ca.issue(part)
    (folder / "tls.crt").write_bytes(issued.certificate)
    (folder / "tls.key").write_bytes(issued.key)
    (folder / "ca.crt").write_bytes(ca.ca_file.read_bytes())


def _moved(text: str, folder: Path, ports: list[list[int]], server: int) -> str:
    """The configuration with paths in a folder, and hosts and ports of this machine."""
    for i, each in enumerate(ports):
        text = text.replace(f"maie-nats-{i}.maie-nats-headless:6222", f"127.0.0.1:{each[1]}")
    for at, number in zip(PORTS, ports[server], strict=True):
        text = text.replace(f'"port": {at}', f'"port": {number}').replace(
            f'"http_port": {at}', f'"http_port": {number}'
        )
    text = text.replace("/etc/nats-certs", f"{folder.parent}/nats-certs")
    # Relative to the configuration, as in the pod.
    text = text.replace("../nats-accounts", "../../nats-accounts")
    return text.replace('"/data"', f'"{folder}/data"').replace("/var/run/nats", str(folder))


@asynccontextmanager
async def _server(config: Path, log: Path, i: int) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *(NATS_SERVER, "--config", str(config), "--log", str(log)),
        env={**os.environ, "SERVER_NAME": f"maie-nats-{i}"},
    )
    try:
        yield
    finally:
        process.kill()
        await process.wait()
