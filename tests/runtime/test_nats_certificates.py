"""Parts reach a NATS with TLS, and one of a cluster, by the certificates of their settings."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker, open_broker
from maie_runtime.bus.credentials import Credentials
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.bus.rights import GATEWAY, OPERATOR, parts
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
from tests.conftest import NATS_SERVER, free_port
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh


@pytest.fixture
def ca(tmp_path: Path) -> TestCa:
    """A CA with certificates of the server, of ASR and of a gateway."""
    made = TestCa(folder=tmp_path / "certificates")
    for part in ("nats", "asr", GATEWAY):
        made.files(part)
    return made


def tls_of(ca: TestCa) -> ServerTls:
    paths = ca.paths("nats")
    return ServerTls(certificate=paths["certificate"], key=paths["key"], ca=ca.ca_file)


def keys_in(folder: Path) -> dict[str, str]:
    return {part: make_seed(folder / "nkeys", part) for part in (*parts(), OPERATOR)}


@contextlib.asynccontextmanager
async def running(
    folder: Path, *servers: Server
) -> AsyncIterator[list[asyncio.subprocess.Process]]:
    """Servers by what `maie nats config` writes, and nothing else."""
    processes = []
    for server in servers:
        place = folder / server.name
        place.mkdir()
        (place / ACCOUNTS_FILE).write_text(accounts_text(keys_in(folder)))
        (place / SERVER_FILE).write_text(server_text(server))
        process = await asyncio.create_subprocess_exec(
            *(NATS_SERVER, "--config", str(place / SERVER_FILE), "--log", str(place / "log"))
        )
        processes.append(process)
    try:
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            await process.wait()


def credentials(folder: Path, ca: TestCa | None, part: str, *, own: bool = False) -> Credentials:
    made = Credentials(nkey=seed_file(folder / "nkeys", part), ca=ca.ca_file if ca else None)
    if own and ca is not None:
        paths = ca.paths(part)
        made = replace(made, certificate=paths["certificate"], key=paths["key"])
    return made


async def is_let_in(url: str, of: Credentials, part: str) -> Any:
    """Whether a part gets a connection; else what the log says."""
    with capture_logs() as logs:

        async def connect() -> None:
            async with open_broker(url, part, inbox=subjects.inbox(part), credentials=of) as broker:
                await broker.client.flush()

        trying = asyncio.create_task(connect())
        await until(lambda: trying.done() or len([x for x in logs if "error" in x]) >= 3)
        if trying.done():
            await trying
            return True
        trying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await trying
    return [str(line.get("error")) for line in logs]


async def test_a_part_checks_the_server_and_the_server_the_part(tmp_path: Path, ca: TestCa) -> None:
    port = free_port()
    server = Server(store=tmp_path / "js", listen=f"127.0.0.1:{port}", tls=tls_of(ca))
    url = f"tls://localhost:{port}"
    async with running(tmp_path, server):
        asr = credentials(tmp_path, ca, "asr", own=True)
        assert await is_let_in(url, asr, "asr") is True
        assert await is_let_in(url, replace(asr, certificate=None, key=None), "asr") is not True
        stranger = TestCa(folder=tmp_path / "stranger")
        stranger.files("asr")
        with pytest.raises(StageError, match="MAIE_NATS_CA_FILE") as failure:
            await is_let_in(url, replace(asr, ca=stranger.ca_file), "asr")
        assert failure.value.reason == Reason.BROKER_CREDENTIALS_INVALID
        foreign = credentials(tmp_path, stranger, "asr", own=True)
        assert await is_let_in(url, replace(foreign, ca=ca.ca_file), "asr") is not True


async def test_servers_of_a_cluster_know_each_other_by_their_certificates(
    tmp_path: Path, ca: TestCa
) -> None:
    clients = [free_port() for _ in range(3)]
    routes = [free_port() for _ in range(3)]
    servers = [
        Server(
            name=f"nats-{number}",
            store=tmp_path / f"js-{number}",
            listen=f"127.0.0.1:{clients[number]}",
            tls=tls_of(ca),
            cluster=Cluster(
                name="maie",
                listen=f"127.0.0.1:{routes[number]}",
                routes=tuple(f"nats://localhost:{port}" for port in routes),
            ),
        )
        for number in range(3)
    ]
    url = ",".join(f"tls://localhost:{port}" for port in clients)
    of = credentials(tmp_path, ca, GATEWAY, own=True)
    async with (
        running(tmp_path, *servers),
        asyncio.timeout(PATIENCE_SECONDS),
        open_provisioned_broker(
            url, GATEWAY, inbox=subjects.inbox(GATEWAY), credentials=of
        ) as broker,
    ):
        for _ in range(3):
            await _stores(broker)


async def _stores(broker: Broker) -> None:
    await broker.jetstream.publish(subjects.event("asr", "some-job"), b"x", timeout=30)
