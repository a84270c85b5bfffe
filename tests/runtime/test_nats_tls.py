"""TLS with NATS: certificates are taken up without a restart, and a lack of it is noted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace as changed
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from maie_runtime.bus.broker import open_broker
from maie_runtime.bus.credentials import Credentials, unprotected
from maie_tls.authority import make_authority
from tests.certificates import DAY, TestCa, replace
from tests.conftest import NatsServer, free_port
from tests.waiting import until

pytestmark = pytest.mark.mesh


@pytest.fixture
def ca(tmp_path: Path) -> TestCa:
    """The CA of the server's certificate."""
    return TestCa(folder=tmp_path / "certificates")


@pytest.fixture
async def server(tmp_path: Path, ca: TestCa) -> AsyncIterator[NatsServer]:
    """A NATS server that takes TLS only, and asks its clients for a certificate."""
    ca.files("nats")
    paths = ca.paths("nats")
    config = tmp_path / "nats.conf"
    tls = {
        "cert_file": str(paths["certificate"]),
        "key_file": str(paths["key"]),
        "ca_file": str(ca.ca_file),
        "verify": True,
    }
    config.write_text(json.dumps({"tls": tls}))
    server = NatsServer(port=free_port(), store=tmp_path / "jetstream", config=config)
    await server.start()
    yield server
    await server.stop()


def credentials(ca: TestCa, part: str) -> Credentials:
    ca.files(part)
    paths = ca.paths(part)
    return Credentials(ca=ca.ca_file, certificate=paths["certificate"], key=paths["key"])


def secure(server: NatsServer) -> str:
    return server.url.replace("nats://", "tls://")


async def test_another_ca_is_taken_up_by_a_connection_that_breaks(
    server: NatsServer, ca: TestCa
) -> None:
    async with open_broker(secure(server), "test", credentials=credentials(ca, "asr")) as broker:
        before = broker.connections
        new = changed(ca, made=make_authority(DAY))
        for part in ("nats", "asr"):
            ca.write(part, new.issue(part))
        replace(ca.ca_file, new.made.certificate)
        await server.stop()
        await server.start()
        await until(lambda: broker.connected and broker.connections > before)


async def test_half_a_pair_leaves_the_former_in_use(server: NatsServer, ca: TestCa) -> None:
    async with open_broker(secure(server), "test", credentials=credentials(ca, "asr")) as broker:
        before = broker.connections
        with capture_logs() as logs:
            replace(ca.paths("asr")["key"], ca.issue("asr").key)
            await server.stop()
            await server.start()
            await until(lambda: broker.connected and broker.connections > before)
        assert "tls.kept" in {line["event"] for line in logs}


async def test_a_connection_without_a_server_closes_with_what_it_could_not_send(
    server: NatsServer, ca: TestCa
) -> None:
    with capture_logs() as logs:
        async with open_broker(
            secure(server), "test", credentials=credentials(ca, "asr")
        ) as broker:
            await server.stop()
            await until(lambda: [each for each in logs if each["event"] == "broker.waiting"][1:])
            await broker.client.publish("anything", b"")
            assert broker.client.pending_data_size > 0
    assert not broker.connected


@pytest.mark.parametrize(
    ("url", "clear"),
    [
        ("nats://127.0.0.1:4222", False),
        ("127.0.0.1:4222", False),
        ("nats://[::1]:4222", False),
        ("nats://localhost:4222", False),
        ("tls://nats.example:4222", False),
        ("nats://nats.example:4222", True),
        ("nats://user:password@10.0.0.9:4222", True),
        ("nats.example", True),
    ],
)
def test_a_connection_in_the_clear_to_another_machine_is_noticed(
    ca: TestCa, url: str, clear: bool
) -> None:
    assert bool(unprotected([url], Credentials())) is clear
    assert unprotected([url], Credentials(ca=ca.ca_file)) == []
