"""The client over TLS, and what it says where TLS fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from maie_client import Client, ClientError, ClientReason, StatusCode, Tls
from maie_client.channels import Channels
from maie_client.tls import answers_with_tls
from maie_runtime.rpc.server import GrpcServer
from maie_runtime.rpc.tls import ServerTls
from maie_tls.authority import Issued, make_authority
from tests.certificates import DAY, TestCa, expired, not_yet_valid, replace

pytestmark = pytest.mark.unit


@pytest.fixture
def ca(tmp_path: Path) -> TestCa:
    """The CA of the gateway's certificate."""
    return TestCa(folder=tmp_path / "own")


@asynccontextmanager
async def serving(tls: ServerTls | None) -> AsyncIterator[str]:
    """A server that answers health; gives its address."""
    server = GrpcServer("127.0.0.1:0", (), tls=tls)
    await server.start()
    await server.set_serving(True)
    try:
        yield server.address
    finally:
        await server.stop(0)


@asynccontextmanager
async def presenting(issued: Issued) -> AsyncIterator[str]:
    """A port with any certificate; gives its address."""
    server = grpc.aio.server()
    pairs = [(issued.key, issued.certificate)]
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pairs))
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


async def error_of(client: Client) -> ClientError:
    async with client:
        with pytest.raises(ClientError) as caught:
            await client.health()
    return caught.value


@pytest.mark.parametrize("scheme", ["", "https://"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_gateway_is_trusted_by_its_ca(ca: TestCa, scheme: str, host: str) -> None:
    async with serving(ServerTls(files=ca.files("gateway"), clients=False)) as address:
        named = f"{scheme}{host}:{address.rpartition(':')[2]}"
        async with Client(named, tls=Tls(ca_file=ca.ca_file)) as client:
            assert client.address.startswith("https://")
            assert await client.health()


async def test_a_server_that_asks_for_a_certificate_gets_it(ca: TestCa) -> None:
    ca.files("operator")
    paths = ca.paths("operator")
    tls = Tls(
        ca_file=ca.ca_file,
        cert_file=paths["certificate"],
        key_file=paths["key"],
        server_name="asr.maie.internal",
    )
    async with (
        serving(ServerTls(files=ca.files("asr"), clients=True)) as address,
        Client(address, tls=tls) as client,
    ):
        assert await client.health()


async def test_an_unknown_ca_is_a_sentence(ca: TestCa, tmp_path: Path) -> None:
    foreign = TestCa(folder=tmp_path / "foreign")
    async with serving(ServerTls(files=ca.files("gateway"), clients=False)) as address:
        for client in (
            Client(f"https://{address}"),
            Client(address, tls=Tls(ca_file=foreign.ca_file)),
        ):
            error = await error_of(client)
            assert (error.code, error.reason) == (StatusCode.UNAVAILABLE, ClientReason.TLS_FAILED)
            assert "does not trust" in error.message
            assert "MAIE_CA_FILE" in error.message


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda ca: ca.issue("gateway", ["maie.example.com"]), "is for another name"),
        (lambda ca: expired(ca, "gateway"), "has expired"),
        (lambda ca: not_yet_valid(ca, "gateway"), "is not yet valid"),
    ],
)
async def test_a_certificate_that_does_not_fit_is_a_sentence(
    ca: TestCa, make: Callable[[TestCa], Issued], words: str
) -> None:
    async with presenting(make(ca)) as address:
        error = await error_of(Client(address, tls=Tls(ca_file=ca.ca_file)))
    assert error.reason == ClientReason.TLS_FAILED
    assert words in error.message
    assert address in error.message


async def test_tls_to_a_server_without_it_is_a_sentence(ca: TestCa) -> None:
    async with serving(None) as address:
        error = await error_of(Client(address, tls=Tls(ca_file=ca.ca_file)))
        assert not answers_with_tls(address)
    assert error.reason == ClientReason.TLS_FAILED
    assert "does not take TLS" in error.message


async def test_who_gets_no_answer_without_tls_can_ask_for_it(ca: TestCa) -> None:
    async with serving(ServerTls(files=ca.files("gateway"), clients=False)) as address:
        error = await error_of(Client(address))
        assert error.reason == ClientReason.GATEWAY_UNREACHABLE
        assert error.address == address
        assert answers_with_tls(address)
    assert not answers_with_tls(address)
    assert not answers_with_tls("no address")


async def test_files_that_cannot_be_used_are_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match=r"none\.crt") as caught:
        async with Client("localhost:1", tls=Tls(ca_file=tmp_path / "none.crt")):
            pass
    assert caught.value.reason == ClientReason.CERTIFICATE_INVALID
    with pytest.raises(ClientError, match="neither"):
        async with Client("localhost:1", tls=Tls(cert_file=tmp_path / "only.crt")):
            pass


async def test_another_ca_is_taken_up_and_calls_go_on(ca: TestCa) -> None:
    async with serving(ServerTls(files=ca.files("gateway"), clients=False)) as address:
        channels = Channels(Tls(ca_file=ca.ca_file))
        first = channels.get(address)
        assert channels.get(address) is first
        stub: Any = health_pb2_grpc.HealthStub(first)
        watch = stub.Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        new = TestCa(folder=ca.folder / "new", made=make_authority(DAY))
        replace(ca.ca_file, new.made.certificate)
        ca.write("gateway", new.issue("gateway"))
        second = channels.get(address)
        assert second is not first
        stub = health_pb2_grpc.HealthStub(second)
        assert await stub.Check(health_pb2.HealthCheckRequest())
        assert not watch.done()
        await channels.close()


@pytest.mark.parametrize(
    "address", ["https://", "http://localhost:1", "https://https://a:1", "https:// a"]
)
async def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ClientError) as caught:
        async with Client(address):
            pass
    assert caught.value.reason == ClientReason.ADDRESS_INVALID
