"""Voices over HTTP: enrolled, listed, found in jobs, renamed and deleted."""

from __future__ import annotations

import pytest

from tests.gateway.conftest import EmptyMesh
from tests.people import allow_voices, job_of, person, speaking
from tests.web.conftest import Web

pytestmark = pytest.mark.mesh

CONSENT = {"statement": "Anna agreed.", "consent_time": "2026-11-30T09:00:00Z"}


async def test_a_voice_is_enrolled_found_renamed_and_deleted(
    web: Web, empty_mesh: EmptyMesh
) -> None:
    empty_mesh.stages["diarization"].answer = speaking(person("anna"), person("ben"))
    job_id = await job_of(web.grpc)
    asked = {"job_id": job_id, "speaker": "S1", "display_name": "Anna", "consent": CONSENT}
    off = await web.http.post("/v1/voices", json=asked)
    assert (off.status_code, off.json()["reason"]) == (422, "VOICES_OFF")
    await allow_voices(web.grpc)
    assert (await web.http.get("/v1/voices")).json() == {"voices": [], "most_voices": 50}
    made = await web.http.post("/v1/voices", json=asked)
    assert made.status_code == 201
    voice = made.json()
    assert (voice["display_name"], voice["revision"]) == ("Anna", 1)
    assert (await web.http.get("/v1/voices")).json()["voices"] == [voice]

    place = f"/v1/voices/{voice['voice_id']}"
    more = {"job_id": job_id, "speaker": "S2", "consent": CONSENT, "segment_ids": ["c0000-s0002"]}
    added = await web.http.post(f"{place}/recordings", json=more)
    assert (added.status_code, added.json()["revision"]) == (200, 2)
    shown = (await web.http.get(place)).json()
    assert shown["voice"] == added.json()
    assert [each["consent"]["statement"] for each in shown["enrollments"]] == ["Anna agreed."] * 2

    found = (await web.http.get(f"/v1/jobs/{job_id}/voices")).json()
    assert [each["speaker"] for each in found["speakers"]] == ["S1", "S2"]
    assert found["speakers"][0]["candidates"][0]["display_name"] == "Anna"

    wanted = {"display_name": "Anna B", "base_revision": 1}
    outdated = await web.http.patch(place, json=wanted)
    assert (outdated.status_code, outdated.json()["reason"]) == (409, "VOICE_OUTDATED")
    renamed = await web.http.patch(place, json={**wanted, "base_revision": 2})
    assert renamed.json()["display_name"] == "Anna B"
    for wrong in ({**wanted, "base_revision": 0}, {**wanted, "display_name": ""}):
        assert (await web.http.patch(place, json=wrong)).status_code == 400
    late = {**asked, "consent": {**CONSENT, "consent_time": "0001-01-01T00:00:00+14:00"}}
    for refused in (late, {**asked, "consent": {}}, {**asked, "consent": None}):
        assert (await web.http.post("/v1/voices", json=refused)).status_code == 400
    assert (await web.http.delete(place)).status_code == 204
    for gone in (await web.http.delete(place), await web.http.get(place)):
        assert (gone.status_code, gone.json()["reason"]) == (404, "VOICE_NOT_FOUND")
