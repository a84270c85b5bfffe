"""A job's summary as speech over HTTP, with the real stage."""

from __future__ import annotations

import json

import pytest
from werkzeug.http import parse_options_header

from maie.job.v1 import job_pb2 as job
from tests.gateway.conftest import EmptyMesh
from tests.synthesis.flite import needs_flite
from tests.synthesis.mesh import with_voice
from tests.web.conftest import web_before

pytestmark = [pytest.mark.mesh, needs_flite]


async def test_a_form_asks_for_it_and_players_get_it_in_parts(empty_mesh: EmptyMesh) -> None:
    form = {
        "features": "summary,digest",
        "template_id": "meeting_notes_v1",
        "display_name": "Sync",
        "options": json.dumps({"speech_options": {"voice": "kal16", "speed": 2}}),
    }
    async with with_voice(empty_mesh).running() as client, web_before(client) as web:
        files = {"file": ("talk.wav", b"sound")}
        made = (await web.http.post("/v1/process", data=form, files=files)).json()
        place = f"/v1/jobs/{made['job_id']}/digest"
        done = [each async for each in client.watch_job(made["job_id"])][-1].finished.job
        assert done.results.digest.result.voice == "kal16"
        shown = (await web.http.get(f"/v1/jobs/{made['job_id']}")).json()
        assert shown["results"]["digest"]["text"] == done.results.digest.text
        got = await web.http.get(place)
        assert (got.status_code, got.headers["content-type"]) == (200, "audio/mpeg")
        assert len(got.content) == done.results.digest.size_bytes
        kind, options = parse_options_header(got.headers["content-disposition"])
        assert (kind, options["filename"]) == ("inline", "Sync.mp3")
        part = await web.http.get(place, headers={"range": "bytes=5-9"})
        assert (part.status_code, part.content) == (206, got.content[5:10])
        head = await web.http.head(place)
        assert head.headers["content-length"] == str(len(got.content))


async def test_a_job_without_one_has_none(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client, web_before(client) as web:
        files = {"file": ("talk.wav", b"sound")}
        form = {"features": "raw_transcript"}
        made = (await web.http.post("/v1/process", data=form, files=files)).json()
        done = [each async for each in client.watch_job(made["job_id"])][-1].finished.job
        assert done.state == job.JOB_STATE_COMPLETE
        got = await web.http.get(f"/v1/jobs/{made['job_id']}/digest")
        assert (got.status_code, got.json()["reason"]) == (404, "DIGEST_MISSING")
