"""Who may call: credentials pass through; without, only this user's own programs."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from pathlib import Path

import httpx
import pytest

from maie.access.v1 import access_pb2 as access
from maie_client import Client
from maie_web.server import serve_web
from maie_web.settings import WebSettings
from tests.certificates import TestCa
from tests.gateway.conftest import EmptyMesh
from tests.web.conftest import Web, web_before

pytestmark = pytest.mark.mesh


async def test_a_key_counts_in_either_header_and_for_its_tenant(shared_web: Web) -> None:
    made = await shared_web.grpc.keys.create(tenant="acme", scopes=[access.SCOPE_READ])
    for headers in (
        {"authorization": f"Bearer {made.api_key}"},
        {"authorization": f"bearer {made.api_key}"},
        {"x-api-key": made.api_key},
    ):
        got = await shared_web.http.get("/v1/jobs", headers=headers)
        assert got.status_code == 200
        other = await shared_web.http.get("/v1/jobs", headers=headers | {"maie-tenant": "other"})
        assert other.status_code == 403
        refused = await shared_web.http.post("/v1/jobs/x/cancel", headers=headers)
        assert refused.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer maie_wrong"},
        {"authorization": "Basic abc"},
        {"authorization": "Bearer"},
        {"authorization": ""},
        {"authorization": "Bearer \xe9"},
        {"x-api-key": "nonsense"},
        {"x-api-key": "\xe9"},
    ],
)
async def test_wrong_credentials_are_401_from_the_same_user_too(
    shared_web: Web, headers: dict[str, str]
) -> None:
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    got = await shared_web.http.get("/v1/jobs", headers=encoded)
    assert (got.status_code, got.json()["reason"]) == (401, "CREDENTIALS_INVALID")
    assert got.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"host": "evil.example"}, 401),
        ({"host": "localhost.evil.example"}, 401),
    ],
)
async def test_pages_of_other_sites_do_not_act_as_this_user(
    shared_web: Web, headers: dict[str, str], status: int
) -> None:
    got = await shared_web.http.get("/v1/jobs", headers=headers)
    assert got.status_code == status


async def test_without_a_local_user_everybody_needs_a_key(shared_web: Web) -> None:
    async with web_before(shared_web.grpc, local_user=False) as strict:
        got = await strict.http.get("/v1/jobs")
        assert (got.status_code, got.json()["reason"]) == (401, "CREDENTIALS_MISSING")
        assert (await strict.http.get("/health")).status_code == 200
    async with web_before(shared_web.grpc, plaintext="behind-a-proxy") as proxied:
        assert (await proxied.http.get("/v1/jobs")).status_code == 401


@pytest.mark.parametrize(("listen", "status"), [("127.0.0.1:0", 200), ("0.0.0.0:0", 401)])
async def test_over_tls_the_local_user_needs_a_key_where_others_reach_the_port(
    shared_web: Web, tmp_path: Path, listen: str, status: int
) -> None:
    ca = TestCa(folder=tmp_path)
    ca.files("web")
    paths = ca.paths("web")
    settings = WebSettings(
        listen=listen,
        gateway=shared_web.grpc.address,
        tls_cert_file=paths["certificate"],
        tls_key_file=paths["key"],
    )
    trusted = ssl.create_default_context(cafile=ca.ca_file)
    async with serve_web(settings) as address, httpx.AsyncClient(verify=trusted) as https:
        port = address.rpartition(":")[2]
        got = await https.get(f"https://127.0.0.1:{port}/v1/jobs")
        assert got.status_code == status
        assert (await https.get(f"https://127.0.0.1:{port}/health")).status_code == 200


async def test_programs_of_another_user_need_a_key(shared_web: Web) -> None:
    if not sys.platform.startswith("linux") or os.getuid() != 0:
        pytest.skip("only root can call as another user")
    script = (
        "import encodings.idna, os, socket, sys\n"
        "os.setuid(65534)\n"
        "host, port = sys.argv[1].split(':')\n"
        "with socket.create_connection((host, int(port))) as to:\n"
        "    to.sendall(b'GET /v1/jobs HTTP/1.1\\r\\nhost: localhost\\r\\n\\r\\n')\n"
        "    print(to.recv(100).split()[1].decode())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        shared_web.url.removeprefix("http://"),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert said.strip() == b"401"


async def test_a_gateway_that_is_away_is_503_with_a_sentence(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.gateway() as address:
        pass
    async with Client(address) as client, web_before(client) as web:
        for path in ("/health", "/v1/jobs"):
            got: httpx.Response = await web.http.get(path)
            assert got.status_code == 503
            assert "No maie gateway answers" in got.json()["detail"]
        assert (await web.http.get("/health/live")).status_code == 200
