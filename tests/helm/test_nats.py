"""Three real nats-servers with the configuration of the chart, and the parts they let in."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import open_broker
from maie_runtime.bus.credentials import Credentials
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.bus.rights import OPERATOR, PROVISION, parts
from maie_runtime.bus.seeds import make_seed, seed_file
from maie_runtime.bus.server_config import accounts_text
from tests.certificates import TestCa
from tests.conftest import NATS_SERVER, free_port
from tests.helm.rendering import named, objects
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

PORTS = ("4222", "6222", "8222")
SERVERS = 3


@asynccontextmanager
async def _cluster(folder: Path) -> AsyncIterator[str]:
    """The servers of the chart on this machine; the URLs of all of them."""
    found = objects("cpu-only")
    text = named(found, "ConfigMap", "maie-nats-config")["data"]["nats.conf"]
    ports = [[free_port() for _ in PORTS] for _ in range(SERVERS)]
    async with AsyncExitStack() as stack:
        for i in range(SERVERS):
            own = _moved(text, folder / str(i), ports, i)
            (folder / str(i) / "config").mkdir(parents=True)
            (folder / str(i) / "config/nats.conf").write_text(own)
            await stack.enter_async_context(_server(folder, i))
        yield ",".join(f"tls://127.0.0.1:{each[0]}" for each in ports)


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
async def _server(folder: Path, i: int) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *(NATS_SERVER, "--config", str(folder / str(i) / "config/nats.conf")),
        *("--log", str(folder / f"{i}.log")),
        env={**os.environ, "SERVER_NAME": f"maie-nats-{i}"},
    )
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def test_the_servers_of_the_chart_let_in_the_parts_and_nobody_else(tmp_path: Path) -> None:
    ca = TestCa(folder=tmp_path / "ca")
    for place in ("nats", "cluster"):
        target = tmp_path / "nats-certs" / place
        target.mkdir(parents=True)
        issued = ca.issue("nats")
        for name, content in (("tls.crt", issued.certificate), ("tls.key", issued.key)):
            (target / name).write_bytes(content)
        (target / "ca.crt").write_bytes(ca.ca_file.read_bytes())
    seeds = tmp_path / "nkeys"
    keys = {part: make_seed(seeds, part) for part in (*parts(), OPERATOR)}
    (tmp_path / "nats-accounts").mkdir()
    (tmp_path / "nats-accounts/accounts.conf").write_text(accounts_text(keys, {}))
    async with _cluster(tmp_path) as url:
        await _provisioned(url, Credentials(nkey=seed_file(seeds, PROVISION), ca=ca.ca_file))
        await _three_copies(url, Credentials(nkey=seed_file(seeds, OPERATOR), ca=ca.ca_file))
        with pytest.raises(StageError) as refused:
            async with open_broker(url, "nobody", credentials=Credentials(ca=ca.ca_file)):
                pass
    assert refused.value.reason is Reason.BROKER_REFUSED


async def _provisioned(url: str, credentials: Credentials) -> None:
    """What the Job of the chart does."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with open_provisioned_broker(
            url, PROVISION, inbox=subjects.inbox(PROVISION), credentials=credentials
        ):
            pass


async def _three_copies(url: str, credentials: Credentials) -> None:
    """What the README of the chart has an operator do; and each write is on the disk at once."""
    inbox = subjects.inbox(OPERATOR)
    async with open_broker(url, OPERATOR, inbox=inbox, credentials=credentials) as broker:
        info = await broker.jetstream.stream_info(subjects.TASKS)
        assert info.config.num_replicas == 1
        changed = await broker.jetstream.update_stream(replace(info.config, num_replicas=SERVERS))
        assert changed.config.num_replicas == SERVERS
