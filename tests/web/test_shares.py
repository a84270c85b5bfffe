"""Shares over HTTP: tenants make them, and those who have the link read one job."""

from __future__ import annotations

from http.cookies import SimpleCookie

import httpx
import pytest

from maie_core.share_tokens import new_token, parse_token
from maie_web.sessions.cookies import SHARED_PATH
from tests.gateway.conftest import EmptyMesh
from tests.web.conftest import Web
from tests.web.console.recordings import add, spoken

pytestmark = pytest.mark.mesh


def nobody(web: Web) -> httpx.AsyncClient:
    """A browser of a stranger, whom the web part does not know."""
    return httpx.AsyncClient(base_url=web.url, trust_env=False, headers={"host": "maie.example"})


async def test_a_link_opens_one_job_and_its_files(web: Web, empty_mesh: EmptyMesh) -> None:
    empty_mesh.stages["asr"].answer = spoken("hello there")
    made = await add(web.grpc, "Standup", labels={"case": "secret"})
    place = f"/v1/jobs/{made.job_id}/shares"
    created = await web.http.post(place, json={"days": 2, "audio": True})
    assert (created.status_code, created.headers["cache-control"]) == (201, "no-store")
    token = parse_token(created.json()["token"])
    assert token
    listed = (await web.http.get(place)).json()
    assert listed["shares"] == [created.json()["share"]]
    assert (await web.http.get("/v1/shares")).json() == listed

    for path in ("/s/", "/s"):
        page = await web.http.get(path)
        assert page.headers["x-robots-tag"].startswith("noindex")
    files = f"{SHARED_PATH}/{token.share_id}"
    async with nobody(web) as stranger:
        for closed in ("/audio", "/results/txt"):
            assert (await stranger.get(files + closed)).status_code == 401
        opened = await stranger.post(SHARED_PATH, json={"token": token.text})
        assert (opened.status_code, opened.headers["cache-control"]) == (200, "no-store")
        assert opened.json()["display_name"] == "Standup"
        assert "secret" not in opened.text
        cookie = SimpleCookie(opened.headers["set-cookie"])["maie-share"]
        assert (cookie["path"], cookie["samesite"].lower()) == (files, "strict")
        assert cookie["httponly"]
        assert token.secret not in opened.headers["set-cookie"]
        shown = {"cookie": f"maie-share={cookie.value}"}
        text = await stranger.get(f"{files}/results/txt", headers=shown)
        assert (text.status_code, text.text) == (200, "hello there\n")
        part = await stranger.get(f"{files}/audio", headers={**shown, "range": "bytes=1-2"})
        assert (part.status_code, part.content) == (206, b"ou")
        other = f"{SHARED_PATH}/{'0' * 12}/audio"
        assert (await stranger.get(other, headers=shown)).status_code == 401
        # It is no login.
        for path in ("/v1/jobs", f"/v1/jobs/{made.job_id}", "/v1/session"):
            assert (await stranger.get(path, headers=shown)).status_code == 401
        refused = await stranger.post("/v1/session", json={"key": token.text})
        assert (refused.status_code, refused.json()["reason"]) == (403, "SCOPE_MISSING")
        bearer = {"authorization": f"Bearer {token.text}"}
        job = await stranger.get(f"/v1/jobs/{made.job_id}", headers=bearer)
        assert job.json() == opened.json()

        assert (await web.http.delete(f"{place}/{token.share_id}")).status_code == 204
        assert (await web.http.delete(f"{place}/{token.share_id}")).status_code == 404
        said = set()
        for wrong in (token.text, new_token(made.job_id).text, "x", ""):
            answer = await stranger.post(SHARED_PATH, json={"token": wrong})
            said.add((answer.status_code, answer.text))
        assert len(said) == 1
        assert (await stranger.get(f"{files}/audio", headers=shown)).status_code == 401


async def test_a_share_without_audio_gives_none(web: Web) -> None:
    made = await add(web.grpc)
    place = f"/v1/jobs/{made.job_id}/shares"
    for days in (0, -1, 91, 1e9, "x"):
        assert (await web.http.post(place, json={"days": days})).status_code == 400
    created = await web.http.post(place, json={})
    token = created.json()["token"]
    async with nobody(web) as stranger:
        opened = await stranger.post(SHARED_PATH, json={"token": token})
        assert opened.json()["shared"]["audio"] is False
        cookie = SimpleCookie(opened.headers["set-cookie"])["maie-share"]
        shown = {"cookie": f"maie-share={cookie.value}"}
        audio = await stranger.get(f"{cookie['path']}/audio", headers=shown)
        assert (audio.status_code, audio.json()["reason"]) == (403, "SCOPE_MISSING")
