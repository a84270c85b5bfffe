"""A job's waveform over HTTP is what gRPC gives, and is asked for once."""

from __future__ import annotations

import base64
from http.cookies import SimpleCookie

import pytest

from maie_client import Client, ClientError
from maie_core.share_tokens import parse_token
from maie_formats.as_json import to_dict
from maie_web.sessions.cookies import SHARED_PATH
from tests.empty_stages import Gate
from tests.gateway.conftest import EmptyMesh
from tests.waveforms import draw
from tests.web.conftest import Web, recording
from tests.web.console.recordings import add
from tests.web.test_shares import nobody

pytestmark = pytest.mark.mesh

PEAKS = bytes(range(256)) * 1000
RAW = ("raw_transcript",)


async def test_a_waveform_comes_once_it_is_made_and_never_changes(
    web: Web, empty_mesh: EmptyMesh, acme: Client
) -> None:
    gate = empty_mesh.stages["preprocess"].hook = Gate()
    waveform = draw(empty_mesh.stages["preprocess"], PEAKS)
    made = await web.grpc.create_job(recording(), features=RAW)
    place = f"/v1/jobs/{made.job_id}/waveform"
    early = await web.http.get(place)
    assert (early.status_code, early.json()["reason"]) == (409, "WAVEFORM_NOT_READY")
    gate.opened.set()
    async for _ in web.grpc.watch_job(made.job_id):
        pass
    assert await web.grpc.get_waveform(made.job_id) == waveform
    got = await web.http.get(place)
    assert (got.status_code, got.json()) == (200, to_dict(waveform))
    assert got.json()["interval"] == "0.100s"
    assert base64.b64decode(got.json()["peaks"]) == PEAKS
    assert "immutable" in got.headers["cache-control"]
    known = await web.http.get(place, headers={"if-none-match": got.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    # Of another tenant, and of no one.
    for job_id in (made.job_id, "01900000-0000-7000-8000-000000000000"):
        with pytest.raises(ClientError) as refused:
            await acme.get_waveform(job_id)
        assert (refused.value.code.name, refused.value.reason) == ("NOT_FOUND", "JOB_NOT_FOUND")
    await web.grpc.delete_job(made.job_id)
    assert (await web.http.get(place)).status_code == 404


async def test_who_may_hear_a_share_may_see_its_waveform(web: Web, empty_mesh: EmptyMesh) -> None:
    waveform = draw(empty_mesh.stages["preprocess"], PEAKS[:300])
    made = await add(web.grpc)
    answers = {}
    for audio in (True, False):
        place = f"/v1/jobs/{made.job_id}/shares"
        link = (await web.http.post(place, json={"audio": audio})).json()["token"]
        token = parse_token(link)
        assert token
        files = f"{SHARED_PATH}/{token.share_id}"
        async with nobody(web) as stranger:
            assert (await stranger.get(f"{files}/waveform")).status_code == 401
            opened = await stranger.post(SHARED_PATH, json={"token": link})
            cookie = SimpleCookie(opened.headers["set-cookie"])["maie-share"].value
            shown = {"cookie": f"maie-share={cookie}"}
            answers[audio] = await stranger.get(f"{files}/waveform", headers=shown)
    assert answers[True].json() == to_dict(waveform)
    assert (answers[False].status_code, answers[False].json()["reason"]) == (403, "SCOPE_MISSING")
