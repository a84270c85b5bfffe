"""TLS between parts: who comes in, who does not, and certificates that change under calls."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from structlog.testing import capture_logs

from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_core.settings import MeshSettings
from maie_runtime.rpc.callers.local_user import is_loopback
from maie_runtime.rpc.duplex import Peer
from maie_runtime.rpc.exposure import check_exposure
from maie_runtime.rpc.server import _OPTIONS, GrpcServer
from maie_runtime.rpc.tls import (
    ServerTls,
    expects,
    mesh_certificates,
    observe_expiry,
    open_certificates,
    report_expiry,
)
from maie_tls.authority import Issued, make_authority
from maie_tls.files import CertificateFiles
from tests.certificates import DAY, TestCa, expired, issued_at, not_yet_valid, replace
from tests.measuring import Measured
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.unit

CHECK = health_pb2.HealthCheckRequest()


@pytest.fixture
def ca(tmp_path: Path) -> TestCa:
    """The mesh's CA."""
    return TestCa(folder=tmp_path / "mesh")


@pytest.fixture
def foreign(tmp_path: Path) -> TestCa:
    """Another CA."""
    return TestCa(folder=tmp_path / "foreign")


@asynccontextmanager
async def serving(files: CertificateFiles, *, clients: bool = True) -> AsyncIterator[GrpcServer]:
    """A server of the part asr."""
    server = GrpcServer("127.0.0.1:0", (), tls=ServerTls(files=files, clients=clients))
    await server.start()
    await server.set_serving(True)
    try:
        yield server
    finally:
        await server.stop(0)


async def asks(
    address: str, authorities: bytes, issued: Issued | None, part: str = "asr"
) -> tuple[str, str]:
    """Asks for the health, over a connection of its own; gives the code and the details."""
    pair = (issued.key, issued.certificate) if issued else (None, None)
    credentials = grpc.ssl_channel_credentials(authorities, *pair)
    options = (("grpc.use_local_subchannel_pool", 1), *expects(part))
    async with grpc.aio.secure_channel(address, credentials, options) as channel:
        return await health(channel)


async def health(channel: grpc.aio.Channel) -> tuple[str, str]:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    try:
        await stub.Check(CHECK, timeout=PATIENCE_SECONDS)
    except grpc.aio.AioRpcError as error:
        return error.code().name, error.details() or ""
    return "OK", ""


async def test_a_part_of_the_mesh_comes_in(ca: TestCa) -> None:
    async with serving(ca.files("asr")) as server:
        answer = await asks(server.address, ca.made.certificate, ca.issue("gateway"))
        assert answer == ("OK", "")


@pytest.mark.parametrize("who", ["nobody", "foreign", "expired", "not yet valid"])
async def test_without_a_certificate_of_the_mesh_there_is_no_connection(
    ca: TestCa, foreign: TestCa, who: str
) -> None:
    issued = {
        "nobody": lambda: None,
        "foreign": lambda: foreign.issue("gateway"),
        "expired": lambda: expired(ca, "gateway"),
        "not yet valid": lambda: not_yet_valid(ca, "gateway"),
    }[who]()
    async with serving(ca.files("asr")) as server:
        code, _ = await asks(server.address, ca.made.certificate, issued)
        assert code == "UNAVAILABLE"
        # The server lives, and lets others in.
        assert await asks(server.address, ca.made.certificate, ca.issue("gateway")) == ("OK", "")


async def test_no_call_without_tls_comes_in(ca: TestCa) -> None:
    async with (
        serving(ca.files("asr")) as server,
        grpc.aio.insecure_channel(server.address) as channel,
    ):
        assert (await health(channel))[0] == "UNAVAILABLE"


async def test_another_part_that_pretends_to_be_one_is_not_called(ca: TestCa) -> None:
    async with serving(ca.files("summary")) as server:
        code, details = await asks(server.address, ca.made.certificate, ca.issue("gateway"))
    assert code == "UNAVAILABLE"
    assert "Hostname Verification Check failed" in details


async def test_a_server_of_another_ca_is_not_called(ca: TestCa, foreign: TestCa) -> None:
    async with serving(foreign.files("asr"), clients=False) as server:
        code, details = await asks(server.address, ca.made.certificate, None)
    assert code == "UNAVAILABLE"
    assert "Tls handshake failed" in details


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize(
    ("newest", "taken"),
    [
        (ssl.TLSVersion.TLSv1_1, None),
        (ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
        (ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
    ],
)
async def test_tls_is_1_2_at_least(ca: TestCa, newest: ssl.TLSVersion, taken: str | None) -> None:
    async with serving(ca.files("asr"), clients=False) as server:
        assert await asyncio.to_thread(version_of, server.address, newest) == taken


def version_of(address: str, newest: ssl.TLSVersion) -> str | None:
    """The version that a server agrees to; None where it agrees to none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = newest
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.set_alpn_protocols(["h2"])
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port))) as plain:
        try:
            with context.wrap_socket(plain) as wrapped:
                return wrapped.version()
        except OSError:
            return None


@pytest.mark.parametrize("secure", [True, False])
async def test_who_connects_and_says_nothing_is_sent_away(
    ca: TestCa, secure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "grpc.server_handshake_timeout_ms"
    options = dict(_OPTIONS)
    assert name in options
    quick = tuple((options | {name: 200}).items())
    monkeypatch.setattr("maie_runtime.rpc.server._OPTIONS", quick)
    tls = ServerTls(files=ca.files("asr"), clients=True) if secure else None
    server = GrpcServer("127.0.0.1:0", (), tls=tls)
    await server.start()
    host, _, port = server.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await reader.read(1024):
            pass
    writer.close()
    await server.stop(0)


async def test_new_certificates_are_taken_up_and_running_calls_go_on(
    ca: TestCa, foreign: TestCa
) -> None:
    async with serving(ca.files("asr")) as server:
        old = ca.issue("gateway")
        credentials = grpc.ssl_channel_credentials(ca.made.certificate, old.key, old.certificate)
        async with grpc.aio.secure_channel(server.address, credentials, expects("asr")) as channel:
            stub: Any = health_pb2_grpc.HealthStub(channel)
            watch = stub.Watch(CHECK)
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
            replace(ca.ca_file, foreign.made.certificate)
            ca.write("asr", foreign.issue("asr"))
            new = foreign.issue("gateway")
            answer = await asks(server.address, foreign.made.certificate, new)
            assert answer == ("OK", "")
            assert (await asks(server.address, ca.made.certificate, old))[0] == "UNAVAILABLE"
            await server.set_serving(False)
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
            watch.cancel()


async def test_half_written_files_change_nothing(ca: TestCa) -> None:
    with capture_logs() as logs:
        files = mesh_certificates(ca.settings("asr", MeshSettings()))
        assert files is not None
        async with serving(files) as server:
            for content in (b"", ca.issue("asr").key):
                replace(ca.paths("asr")["key"], content)
                answer = await asks(server.address, ca.made.certificate, ca.issue("gateway"))
                assert answer == ("OK", "")
    kept = [line for line in logs if line["event"] == "tls.kept"]
    assert len(kept) == 2
    assert all("remains in use" in line["detail"] for line in kept)


async def test_a_peer_is_made_anew_when_its_certificates_change(ca: TestCa) -> None:
    async with serving(ca.files("asr")) as server:
        files = ca.files("gateway")
        first: Peer[Any] = Peer(server.address, health_pb2_grpc.HealthStub, "asr", files)
        watch = first.stub.Watch(CHECK)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        assert first.is_current
        ca.write("gateway", ca.issue("gateway"))
        assert not first.is_current
        second: Peer[Any] = Peer(server.address, health_pb2_grpc.HealthStub, "asr", files)
        assert await second.connects(PATIENCE_SECONDS)
        await server.set_serving(False)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        watch.cancel()
        for peer in (first, second):
            await peer.close()


@pytest.mark.parametrize(
    ("lifetime", "left", "logged"),
    [(90, 40, False), (90, 29, True), (1, 0.5, False), (1, 0.3, True), (3650, 31, False)],
)
async def test_an_approaching_end_is_logged(
    tmp_path: Path, lifetime: float, left: float, logged: bool
) -> None:
    ca = TestCa(folder=tmp_path, made=make_authority(4000 * DAY))
    begin = datetime.now(UTC) - (lifetime - left) * DAY
    ca.write("asr", issued_at(begin, ca, "asr", lifetime * DAY))
    with capture_logs() as logs:
        reporting = asyncio.create_task(report_expiry(ca.files("asr")))
        await asyncio.sleep(0)
        reporting.cancel()
    assert [(line["event"], line["log_level"]) for line in logs] == (
        [("tls.expires", "warning")] if logged else []
    )


def test_certificates_that_cannot_be_used_are_a_sentence(ca: TestCa) -> None:
    with pytest.raises(StageError) as caught:
        open_certificates(ca.folder / "no.crt", ca.folder / "no.key", None)
    assert caught.value.reason is Reason.CERTIFICATE_INVALID
    assert "no.crt" in caught.value.message


@pytest.mark.parametrize(
    ("listen", "loopback"),
    [
        ("127.0.0.1:1", True),
        ("127.9.9.9:0", True),
        ("[::1]:50051", True),
        ("localhost:1", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("10.0.0.1:1", False),
        (":1", False),
        ("gateway.example:1", False),
        ("unix:/tmp/socket", False),
    ],
)
def test_only_loopback_needs_no_tls(listen: str, loopback: bool) -> None:
    assert is_loopback(listen) is loopback
    check_exposure(listen, has_tls=True, remedy="")
    if not loopback:
        with pytest.raises(StageError, match="Other machines reach") as caught:
            check_exposure(listen, has_tls=False, remedy="do this")
        assert caught.value.reason is Reason.TLS_REQUIRED
        assert "do this, or listen on 127.0.0.1." in caught.value.message


async def test_when_certificates_expire_is_a_metric(ca: TestCa) -> None:
    files = mesh_certificates(ca.settings("asr", MeshSettings()))
    assert files is not None
    measured = Measured()
    observe_expiry(measured.meter, {"mesh": files})
    expires = files.current().expires
    assert expires is not None
    assert measured.numbers("maie.certificate.expiry") == [
        ({"purpose": "mesh"}, expires.timestamp())
    ]
