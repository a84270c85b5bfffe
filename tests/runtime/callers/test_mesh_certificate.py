"""Who may call a stage by a certificate of the mesh."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import grpc
import pytest

from maie.asr.v1.asr_pb2 import TranscribeRequest
from maie_core.caller import Caller, CallerKind
from maie_core.errors import StageError
from maie_core.settings import MeshSettings, ServiceSettings
from maie_pipeline.bindings import BINDINGS
from maie_runtime.blobs import Blobs
from maie_runtime.rpc.callers.authenticator import Call
from maie_runtime.rpc.callers.mesh_certificate import MeshCertificate
from maie_runtime.rpc.tls import expects
from maie_runtime.worker.front import Front
from maie_tls.authority import make_authority
from tests.certificates import DAY, TestCa, expired, replace
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.unit

TRANSCRIBE = "/maie.asr.v1.AsrService/Transcribe"
STREAM = "/maie.asr.v1.StreamingAsrService/StreamingRecognize"


@pytest.fixture
def ca(tmp_path: Path) -> TestCa:
    """The mesh's CA."""
    return TestCa(folder=tmp_path / "certificates")


@asynccontextmanager
async def stage(ca: TestCa, tmp_path: Path, slug: str = "asr") -> AsyncIterator[str]:
    """The port of a service whose model is still loading; gives its address."""
    settings = ServiceSettings(mesh=ca.settings(slug, MeshSettings()))
    front = Front(BINDINGS[slug], settings, Blobs(tmp_path.as_uri()))
    async with front.open(grace=0):
        yield front.address


async def outcome(
    address: str, ca: TestCa, part: str, path: str = TRANSCRIBE, slug: str = "asr"
) -> tuple[str, str]:
    """What a call gets with the certificate of a part: the code and the message."""
    issued = ca.issue(part)
    credentials = grpc.ssl_channel_credentials(ca.made.certificate, issued.key, issued.certificate)
    options = (("grpc.use_local_subchannel_pool", 1), *expects(slug))
    async with grpc.aio.secure_channel(address, credentials, options) as channel:
        method: Any = channel.unary_stream(path)
        call = method(TranscribeRequest().SerializeToString(), timeout=PATIENCE_SECONDS)
        try:
            await call.read()
        except grpc.aio.AioRpcError as error:
            return error.code().name, error.details() or ""
    return "OK", ""


@pytest.mark.parametrize("part", ["gateway", "operator"])
async def test_gateways_and_operators_are_let_in(ca: TestCa, tmp_path: Path, part: str) -> None:
    async with stage(ca, tmp_path) as address:
        code, message = await outcome(address, ca, part)
    assert code == "UNAVAILABLE"
    assert "still loading its model" in message


@pytest.mark.parametrize("slug", BINDINGS)
@pytest.mark.parametrize("part", ["gateway", "operator"])
async def test_they_are_let_in_by_every_stage(
    ca: TestCa, tmp_path: Path, part: str, slug: str
) -> None:
    binding = BINDINGS[slug]
    paths = [f"/{binding.service}/{binding.method}"]
    if binding.stream:
        paths.append(f"/{binding.stream.service}/{binding.stream.method}")
    async with stage(ca, tmp_path, slug) as address:
        for path in paths:
            code, message = await outcome(address, ca, part, path, slug)
            assert (code, "loading its model" in message) == ("UNAVAILABLE", True), message


@pytest.mark.parametrize(
    "part", ["asr", "preprocess", "enhancement", "summary", "provision", "nats", "gateway2"]
)
@pytest.mark.parametrize(
    "path", [TRANSCRIBE, "/maie.asr.v1.StreamingAsrService/StreamingRecognize"]
)
async def test_other_parts_are_not(ca: TestCa, tmp_path: Path, part: str, path: str) -> None:
    async with stage(ca, tmp_path) as address:
        assert (await outcome(address, ca, part, path))[0] == "PERMISSION_DENIED"


async def test_a_certificate_without_a_part_is_nobodys(ca: TestCa, tmp_path: Path) -> None:
    async with stage(ca, tmp_path) as address:
        code, message = await outcome(address, ca, "gateway/../asr")
    assert code == "UNAUTHENTICATED"
    assert "a gateway's or an operator's" in message


async def test_a_name_in_the_metadata_is_no_certificate(ca: TestCa) -> None:
    call = Call(peer="", server="", metadata={"peer_uri": ["spiffe://maie/gateway"]}, transport={})
    assert await MeshCertificate(ca.files("asr")).caller_of(call) is None


async def test_a_connection_ends_with_its_certificate(ca: TestCa) -> None:
    def call(certificate: bytes) -> Call:
        transport = {"peer_uri": [b"spiffe://maie/gateway"], "x509_pem_cert": [certificate]}
        return Call(peer="", server="", metadata={}, transport=transport)

    known = MeshCertificate(ca.files("asr"))
    caller = await known.caller_of(call(ca.issue("gateway").certificate))
    assert isinstance(caller, Caller)
    assert (caller.id, caller.kind) == ("mesh:gateway", CallerKind.MESH)
    with pytest.raises(StageError, match="has expired"):
        await known.caller_of(call(expired(ca, "gateway").certificate))


async def test_a_connection_ends_with_its_ca(ca: TestCa, tmp_path: Path) -> None:
    async with stage(ca, tmp_path) as address:
        old = ca.issue("gateway")
        credentials = grpc.ssl_channel_credentials(ca.made.certificate, old.key, old.certificate)
        async with grpc.aio.secure_channel(address, credentials, expects("asr")) as channel:
            method: Any = channel.unary_stream(TRANSCRIBE)

            async def code() -> str:
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await method(b"", timeout=PATIENCE_SECONDS).read()
                return caught.value.code().name

            assert await code() == "UNAVAILABLE"
            new = changed(ca, made=make_authority(DAY))
            replace(ca.ca_file, new.made.certificate + ca.made.certificate)
            assert await code() == "UNAVAILABLE", "both are trusted"
            replace(ca.ca_file, new.made.certificate)
            assert await code() == "UNAUTHENTICATED"
