"""How the console is served, and how much a first visit loads."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from maie_web.console import MISSING, Console
from tests.conftest import nats_server  # noqa: F401 - a fixture
from tests.web.conftest import Web
from tests.web.console.recordings import needs_console

pytestmark = [pytest.mark.mesh, needs_console[2]]

MOST_BYTES = 200_000


async def test_a_page_allows_nothing_inline_and_nothing_from_elsewhere(shared_web: Web) -> None:
    for path in ("/", "/upload", "/login", "/recordings/1", "/docs"):
        got = await shared_web.http.get(path)
        assert got.status_code == 200
        policy = dict(
            each.split(" ", 1) for each in got.headers["content-security-policy"].split("; ")
        )
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["referrer-policy"] == "no-referrer"
        assert got.headers["cache-control"] == "no-cache"
        assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son\w+=", got.text)


async def test_a_first_visit_loads_less_than_200_kb(shared_web: Web) -> None:
    page = (await shared_web.http.get("/")).text
    paths = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page)
    assert len(paths) >= 3
    loaded = len(gzip.compress(page.encode()))
    for path in paths:
        async with shared_web.http.stream("GET", path) as got:
            assert got.headers["content-encoding"] == "gzip"
            assert "immutable" in got.headers["cache-control"]
            loaded += sum([len(part) async for part in got.aiter_raw()])
    assert loaded < MOST_BYTES


@pytest.mark.parametrize("path", ["/", "/recordings/1", "/docs"])
async def test_head_answers_as_get_without_the_page(shared_web: Web, path: str) -> None:
    got, asked = await shared_web.http.get(path), await shared_web.http.head(path)
    assert (asked.status_code, asked.content) == (200, b"")
    wanted = dict(got.headers)
    assert {name: asked.headers[name] for name in wanted if name != "date"} == {
        name: value for name, value in wanted.items() if name != "date"
    }


async def test_the_documentation_loads_nothing_from_other_hosts(shared_web: Web) -> None:
    page = (await shared_web.http.get("/docs")).text
    assert len(re.findall(r'(?:src|href)="(/assets/[^"]+)"', page)) >= 3
    assert "//" not in page
    for other in ("redoc", "swagger", "elements", "rapidoc"):
        assert (await shared_web.http.get(f"/docs/{other}")).status_code == 404


@pytest.mark.parametrize("name", ["nothing.js", "..%2findex.html", "%2e%2e%2fconsole.py"])
async def test_nothing_else_is_served(shared_web: Web, name: str) -> None:
    got = await shared_web.http.get(f"/assets/{name}")
    assert (got.status_code, got.json()["reason"]) == (404, "ROUTE_NOT_FOUND")


def test_without_a_build_the_page_says_how_to_make_one(tmp_path: Path) -> None:
    got = Console(tmp_path).page(None)  # type: ignore[arg-type]
    assert (got.status_code, got.content) == (404, MISSING.encode())
    assert "make console" in MISSING
