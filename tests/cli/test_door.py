"""`maie up` opens its gateway to other machines over TLS only, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from maie_cli.mesh.errors import MeshError
from maie_cli.mesh.layout import Layout
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import STAGES, MeshOptions
from maie_cli.mesh.parts import GATEWAY, Part, plan
from maie_client import Client, ClientError, StatusCode, Tls
from tests.certificates import TestCa

pytestmark = pytest.mark.mesh

EVERYWHERE = "0.0.0.0"


@pytest.fixture
def ca(tmp_path: Path) -> TestCa:
    """The CA of the gateway's certificate."""
    return TestCa(folder=tmp_path / "certificates")


def door(ca: TestCa) -> dict[str, str]:
    ca.files("gateway")
    paths = ca.paths("gateway")
    return {
        "MAIE_GATEWAY_TLS_CERT_FILE": str(paths["certificate"]),
        "MAIE_GATEWAY_TLS_KEY_FILE": str(paths["key"]),
    }


def planned(data: Path, environment: Mapping[str, str], listen: str = "") -> dict[str, Part]:
    layout = Layout(data)
    layout.create()
    options = MeshOptions(data=data, port_base=0, listen=listen, environment=environment)
    return {part.name: part for part in plan(options, layout)}


def test_without_a_certificate_nothing_starts(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match=r"Other machines reach 0\.0\.0\.0") as caught:
        planned(tmp_path, {"MAIE_GATEWAY_TLS_CERT_FILE": ""}, EVERYWHERE)
    assert "maie certs create" in str(caught.value)


def test_only_the_gateway_is_opened(tmp_path: Path, ca: TestCa) -> None:
    parts = planned(tmp_path, door(ca), EVERYWHERE)
    listens = {
        name: part.environment[f"MAIE_{part.stage.upper()}_LISTEN"].partition(":")[0]
        for name, part in parts.items()
        if part.stage
    }
    assert listens.pop(GATEWAY) == EVERYWHERE
    assert set(listens.values()) == {"127.0.0.1"}
    assert parts["nats"].address.startswith("127.0.0.1:")


def test_certificates_between_parts_are_none_of_a_local_mesh(tmp_path: Path, ca: TestCa) -> None:
    parts = planned(tmp_path, {"MAIE_TLS_CERT_FILE": "operator.crt"})
    assert all(
        "MAIE_TLS_CERT_FILE" not in part.environment for part in parts.values() if part.stage
    )


async def test_the_mesh_starts_with_tls_and_without_ports_of_stages(
    tmp_path: Path, ca: TestCa
) -> None:
    off = {f"MAIE_{stage.upper()}_RPC": "off" for stage in STAGES}
    options = MeshOptions(
        data=tmp_path / "data",
        port_base=0,
        listen=EVERYWHERE,
        workers={"asr": 1},
        environment={**door(ca), **off, "MAIE_ASR_LIVE_TRACKS": "0"},
        commands={stage: (sys.executable, "-m", "bench._empty_service", stage) for stage in STAGES},
    )
    async with LocalMesh(options, lambda _: None) as mesh:
        assert all(mesh.children[stage].part.address == "" for stage in STAGES)
        # On an address that others reach, the user who runs it is nobody special.
        async with Client(mesh.gateway, tls=Tls(ca_file=ca.ca_file)) as client:
            assert await client.health()
            with pytest.raises(ClientError) as caught:
                await client.list_models()
        assert caught.value.code is StatusCode.UNAUTHENTICATED


def test_the_gateway_believes_the_web_part_unless_it_is_behind_a_proxy(tmp_path: Path) -> None:
    name = "MAIE_GATEWAY_TRUSTED_PROXIES"
    assert planned(tmp_path, {})[GATEWAY].environment[name] == '["local-user"]'
    behind = planned(tmp_path, {"MAIE_GATEWAY_PLAINTEXT": "behind-a-proxy"})
    assert name not in behind[GATEWAY].environment
    own = planned(tmp_path, {name: "[]"})
    assert own[GATEWAY].environment[name] == "[]"
