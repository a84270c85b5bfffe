"""MCP over HTTP lets in whom the rest of the web part lets in."""

from __future__ import annotations

from typing import Any

import pytest

from maie.access.v1 import access_pb2 as access
from tests.gateway.conftest import EmptyMesh
from tests.mcp.conftest import connected, key
from tests.web.conftest import Web, web_before

pytestmark = pytest.mark.mesh
ACCEPT = {"accept": "application/json, text/event-stream"}


def message(method: str = "tools/list", **parameters: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}


async def test_nobody_is_let_in_without_credentials(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client, web_before(client, local_user=False) as web:
        got = await web.http.post("/mcp", json=message(), headers=ACCEPT)
        assert (got.status_code, got.json()["reason"]) == (401, "CREDENTIALS_MISSING")
        assert got.headers["www-authenticate"] == "Bearer"
        reader = await key(web, "acme", access.SCOPE_READ)
        headers = ACCEPT | {"authorization": f"Bearer {reader}"}
        got = await web.http.post("/mcp", json=message(), headers=headers)
        assert got.status_code == 200
        assert got.json()["result"]["tools"]


async def test_pages_of_other_sites_are_refused_with_a_key_too(shared_web: Web) -> None:
    reader = await key(shared_web, "acme", access.SCOPE_READ)
    for credentials in ({}, {"authorization": f"Bearer {reader}"}):
        headers = ACCEPT | credentials | {"origin": "https://evil.example"}
        got = await shared_web.http.post("/mcp", json=message(), headers=headers)
        assert (got.status_code, got.json()["reason"]) == (403, "ORIGIN_REFUSED")
        own = await shared_web.http.post(
            "/mcp", json=message(), headers=ACCEPT | credentials | {"origin": shared_web.url}
        )
        assert own.status_code == 200


async def test_a_name_that_leads_here_lets_nobody_in(shared_web: Web) -> None:
    rebound = ACCEPT | {"host": "evil.example", "origin": "http://evil.example"}
    got = await shared_web.http.post("/mcp", json=message(), headers=rebound)
    assert (got.status_code, got.json()["reason"]) == (401, "CREDENTIALS_MISSING")


async def test_there_is_no_session_to_open_or_close(shared_web: Web) -> None:
    first = await shared_web.http.post("/mcp", json=message(), headers=ACCEPT)
    assert "mcp-session-id" not in first.headers
    for method in ("GET", "DELETE"):
        got = await shared_web.http.request(method, "/mcp", headers=ACCEPT)
        assert got.status_code == 405


async def test_several_web_parts_serve_one_client(empty_mesh: EmptyMesh) -> None:
    async with (
        empty_mesh.running() as client,
        web_before(client) as one,
        web_before(client) as two,
        connected(one) as first,
        connected(two) as second,
    ):
        assert await first.call("list_jobs") == await second.call("list_jobs")
        for web in (one, two):
            call = message("tools/call", name="list_jobs", arguments={})
            got = await web.http.post("/mcp", json=call, headers=ACCEPT)
            assert got.json()["result"]["structuredContent"]["jobs"] == []


@pytest.mark.parametrize("body", ["", "{", "[]", '{"jsonrpc": "2.0"}', "x" * 300_000])
async def test_what_is_no_message_is_refused(shared_web: Web, body: str) -> None:
    headers = ACCEPT | {"content-type": "application/json"}
    got = await shared_web.http.post("/mcp", content=body, headers=headers)
    assert 400 <= got.status_code < 500
