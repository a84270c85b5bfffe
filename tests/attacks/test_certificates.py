"""A worker of the mesh that other machines reach, and who has no certificate for it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from maie.enhancement.v1 import enhancement_pb2 as enhancement
from maie_runtime.rpc.tls import expects
from maie_tls.authority import Issued
from tests.attacks.conftest import Besieged, Came, answer
from tests.attacks.parts import joined
from tests.certificates import TestCa, expired, not_yet_valid
from tests.conftest import free_port
from tests.runtime.test_tls import asks
from tests.summary.asking import transcript
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

ENHANCE = "/maie.enhancement.v1.EnhancementService/Enhance"
OTHER_PARTS = ("asr", "preprocess", "enhancement", "summary", "provision", "nats")


@asynccontextmanager
async def worker(mesh: Besieged, ca: TestCa, log: Path) -> AsyncIterator[str]:
    """An enhancement worker with certificates, which works for the mesh; gives its address."""
    ca.write("enhancement", ca.issue("enhancement"))
    files = ca.paths("enhancement")
    address = f"127.0.0.1:{free_port()}"
    variables = {
        "MAIE_TLS_CERT_FILE": str(files["certificate"]),
        "MAIE_TLS_KEY_FILE": str(files["key"]),
        "MAIE_TLS_CA_FILE": str(files["authorities"]),
        "MAIE_ENHANCEMENT_LISTEN": address,
        "MAIE_ENHANCEMENT_INSTANCE": "enhancement-with-tls",
    }
    async with joined(mesh, "enhancement", log, **variables):
        gateway = ca.issue("gateway")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await enhanced(address, ca, gateway)) != "OK":
                await asyncio.sleep(0.1)
        yield address


async def enhanced(address: str, ca: TestCa, issued: Issued) -> str:
    """What a call for work gets with a certificate."""
    credentials = grpc.ssl_channel_credentials(ca.made.certificate, issued.key, issued.certificate)
    options = (("grpc.use_local_subchannel_pool", 1), *expects("enhancement"))
    request = enhancement.EnhanceRequest(transcript=transcript(["good morning"]))
    async with grpc.aio.secure_channel(address, credentials, options) as channel:
        method: Any = channel.unary_stream(ENHANCE)
        return await answer(method(request.SerializeToString(), timeout=PATIENCE_SECONDS))


def handshake(address: str, ca: TestCa, issued: Issued | None, folder: Path) -> str:
    """How a TLS handshake with the worker ends: `refused`, or `done` where the server goes on.

    In TLS 1.3 a client has done its part before the server looks at its certificate, so it also
    waits for what the server says next: an HTTP/2 server that goes on sends its settings.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(ca.ca_file)
    context.set_alpn_protocols(["h2"])
    if issued is not None:
        pair = folder / "pair.pem"
        pair.write_bytes(issued.certificate + issued.key)
        context.load_cert_chain(pair)
    host, _, port = address.rpartition(":")
    try:
        with (
            socket.create_connection((host, int(port)), PATIENCE_SECONDS) as plain,
            context.wrap_socket(plain) as secure,
        ):
            secure.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5))
            return "done" if secure.recv(9) else "refused"
    except (ssl.SSLError, ConnectionError):
        return "refused"


@pytest.mark.attack(4)
async def test_a_worker_is_closed_to_who_has_no_certificate_of_the_mesh(
    mesh: Besieged, tmp_path: Path, came: Came
) -> None:
    ca, foreign = TestCa(folder=tmp_path / "mesh"), TestCa(folder=tmp_path / "foreign")
    nobody: dict[str, Issued | None] = {
        "none": None,
        "another CA's": foreign.issue("gateway"),
        "expired": expired(ca, "gateway"),
        "not yet valid": not_yet_valid(ca, "gateway"),
    }
    async with worker(mesh, ca, tmp_path / "worker.log") as address:
        assert await asyncio.to_thread(handshake, address, ca, ca.issue("gateway"), tmp_path) == (
            "done"
        )
        shaken = {
            name: await asyncio.to_thread(handshake, address, ca, issued, tmp_path)
            for name, issued in nobody.items()
        }
        called = {(await asks(address, ca.made.certificate, each))[0] for each in nobody.values()}
        async with grpc.aio.insecure_channel(address) as channel:
            plain: Any = channel.unary_stream(ENHANCE)
            called.add(await answer(plain(b"", timeout=PATIENCE_SECONDS)))
        others = {await enhanced(address, ca, ca.issue(part)) for part in OTHER_PARTS}
        # This worker, too, goes on.
        assert await enhanced(address, ca, ca.issue("gateway")) == "OK"
    came(f"handshake {', '.join(sorted(set(shaken.values())))}; other parts: {', '.join(others)}")
    assert shaken == dict.fromkeys(nobody, "refused")
    assert called == {"UNAVAILABLE"}
    assert {each.split()[0] for each in others} == {"PERMISSION_DENIED"}
