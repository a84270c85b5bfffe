"""No part listens where other machines reach it, unless over TLS."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from maie.job.v1 import job_pb2 as job
from maie_asr.settings import AsrSettings
from maie_client import Client, Tls
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_core.settings import MeshSettings, ServiceSettings
from maie_gateway.door import door_tls
from maie_gateway.settings import GatewaySettings
from maie_pipeline.bindings import BINDINGS
from maie_runtime.blobs import Blobs
from maie_runtime.rpc.tls import mesh_certificates
from maie_runtime.worker.front import Front
from tests.certificates import TestCa
from tests.conftest import free_port
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_jobs import recording

pytestmark = pytest.mark.mesh

EVERYWHERE = "0.0.0.0:0"
RAW = ("raw_transcript",)


@pytest.fixture
def ca(tmp_path: Path) -> TestCa:
    """The mesh's CA."""
    return TestCa(folder=tmp_path / "certificates")


@pytest.mark.parametrize("part", ["gateway", *BINDINGS])
async def test_a_part_refuses_to_start_and_says_what_to_do(part: str) -> None:
    prefix = f"MAIE_{part.upper()}"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"maie_{part}"),
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("MAIE_")},
            f"{prefix}_LISTEN": EVERYWHERE,
            "MAIE_NATS_URL": f"nats://127.0.0.1:{free_port()}",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 1
    (line,) = output.decode().splitlines()
    assert "Other machines reach 0.0.0.0:0" in line
    assert "maie certs create" in line
    assert "Traceback" not in line


async def test_a_stage_listens_anywhere_with_the_certificates_of_the_mesh(
    ca: TestCa, tmp_path: Path
) -> None:
    mesh = ca.settings("asr", MeshSettings())
    settings = ServiceSettings(mesh=mesh, listen=EVERYWHERE)
    front = Front(BINDINGS["asr"], settings, Blobs(tmp_path.as_uri()))
    assert front.address.startswith("0.0.0.0:")
    await front.stop(0)


def test_the_certificate_of_the_door_is_the_gateways_own_or_the_meshs(ca: TestCa) -> None:
    mesh = ca.settings("gateway", MeshSettings())
    files = mesh_certificates(mesh)
    tls = door_tls(GatewaySettings(mesh=mesh, listen=EVERYWHERE), files)
    assert tls is not None
    assert tls.files is files
    assert not tls.clients
    ca.files("public")
    paths = ca.paths("public")
    own = GatewaySettings(
        mesh=mesh,
        listen=EVERYWHERE,
        tls_cert_file=paths["certificate"],
        tls_key_file=paths["key"],
    )
    tls = door_tls(own, files)
    assert tls is not None
    assert tls.files is not files


def test_a_proxy_in_front_may_take_tls() -> None:
    settings = GatewaySettings(listen=EVERYWHERE, plaintext="behind-a-proxy")
    assert door_tls(settings, None) is None


@pytest.mark.parametrize("left_out", ["tls_cert_file", "tls_key_file", "tls_ca_file"])
def test_half_of_the_settings_is_an_error(ca: TestCa, left_out: str) -> None:
    whole = ca.settings("asr", MeshSettings()).model_dump()
    with pytest.raises(ValueError, match="set all three"):
        MeshSettings(**whole | {left_out: None})


def test_an_unusable_certificate_is_named(ca: TestCa) -> None:
    mesh = ca.settings("asr", MeshSettings())
    ca.paths("asr")["key"].write_text("no key")
    with pytest.raises(StageError) as caught:
        mesh_certificates(mesh)
    assert caught.value.reason is Reason.CERTIFICATE_INVALID


def test_an_asr_service_without_a_port_takes_no_live_speech(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAIE_ASR_RPC", "off")
    with pytest.raises(ValueError, match="MAIE_ASR_LIVE_TRACKS=0"):
        AsrSettings()
    monkeypatch.setenv("MAIE_ASR_LIVE_TRACKS", "0")
    assert AsrSettings().live_tracks == 0


async def test_jobs_run_where_no_stage_has_a_port_and_the_gateway_has_tls(
    empty_mesh: EmptyMesh, ca: TestCa
) -> None:
    plain = empty_mesh.mesh
    empty_mesh.service_options["rpc"] = "off"
    async with AsyncExitStack() as stack:
        for slug in BINDINGS:
            assert await stack.enter_async_context(empty_mesh.service(slug)) == ""
        empty_mesh.mesh = ca.settings("gateway", plain)
        address = await stack.enter_async_context(empty_mesh.gateway())
        tls = Tls(ca_file=ca.ca_file)
        client = await stack.enter_async_context(Client(address, tls=tls))
        events = [event async for event in client.process(recording(), features=RAW)]
        assert events[-1].finished.job.state == job.JOB_STATE_COMPLETE
