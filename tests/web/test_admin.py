"""Keys, the audit log, the mesh and dead letters over HTTP, for those who look after a mesh."""

from __future__ import annotations

import pytest

from maie.access.v1 import access_pb2 as access
from maie_core.codes import Code
from maie_core.errors import StageError
from maie_core.reasons import Reason
from tests.gateway.conftest import EmptyMesh
from tests.web.conftest import Web
from tests.web.console.recordings import add

pytestmark = pytest.mark.mesh

KEYS = "/v1/admin/keys"


async def test_keys_are_made_used_rotated_and_revoked(web: Web) -> None:
    wanted = {"scopes": ["read"], "tenant": "acme", "display_name": "nightly", "days": 3}
    made = await web.http.post(KEYS, json=wanted)
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    key = made.json()["key"]
    assert (key["tenant"], key["scopes"]) == ("acme", ["READ"])
    listed = await web.http.get(KEYS, params={"tenant": "acme"})
    assert listed.json()["keys"] == [key]
    assert made.json()["api_key"] not in listed.text

    place = f"{KEYS}/{key['key_id']}"
    rotated = await web.http.post(f"{place}/rotate", json={"overlap_hours": 0})
    assert rotated.headers["cache-control"] == "no-store"
    old, new = ({"x-api-key": each.json()["api_key"]} for each in (made, rotated))
    assert (await web.http.get("/v1/jobs", headers=old)).status_code == 401
    assert (await web.http.get("/v1/jobs", headers=new)).status_code == 200
    for path in (KEYS, "/v1/admin/audit", "/v1/admin/mesh"):
        refused = await web.http.get(path, headers=new)
        assert (refused.status_code, refused.json()["reason"]) == (403, "SCOPE_MISSING")
    assert "revoke_time" in (await web.http.delete(place)).json()
    assert (await web.http.get("/v1/jobs", headers=new)).status_code == 401
    wrong: tuple[dict[str, object], ...] = (
        {"scopes": []},
        {"scopes": ["shared"]},
        {"scopes": ["read"], "days": 1e300},
    )
    for body in wrong:
        assert (await web.http.post(KEYS, json=body)).status_code == 400

    asked = {"action": "RevokeKey"}
    page = (await web.http.get("/v1/admin/audit", params=asked)).json()
    assert [each["key_id"] for each in page["entries"]] == [key["key_id"]]
    after = {**asked, "after_entry_id": page["read_up_to"]}
    assert (await web.http.get("/v1/admin/audit", params=after)).json()["entries"] == []
    mesh = (await web.http.get("/v1/admin/mesh")).json()
    assert {each["stage"] for each in mesh["stages"] if each["workers"]} >= {"asr", "summary"}


async def test_limits_of_a_tenant_are_listed_and_set(web: Web) -> None:
    await add(web.grpc)
    place = "/v1/admin/tenants"
    (shown,) = (await web.http.get(place)).json()["tenants"]
    assert (shown["tenant"], shown["limits"]["active_jobs"]) == ("default", 40)
    wanted = {"limits": {"active_jobs": 7}, "base_revision": shown["limits_revision"]}
    changed = await web.http.put(f"{place}/default/limits", json=wanted)
    assert changed.status_code == 200
    (shown,) = (await web.http.get(place)).json()["tenants"]
    assert (shown["own_limits"], shown["limits"]["active_jobs"]) == ({"active_jobs": 7}, 7)
    assert shown["limits_revision"] == changed.json()["limits_revision"]
    outdated = await web.http.put(f"{place}/default/limits", json=wanted)
    assert (outdated.status_code, outdated.json()["reason"]) == (409, "LIMITS_OUTDATED")
    for limits in ({"active_jobs": 0}, {"active_jobs": 10**12}, {"audio_hours_per_day": -1}):
        wrong = await web.http.put(
            f"{place}/default/limits", json={"limits": limits, "base_revision": 0}
        )
        assert (wrong.status_code, wrong.json()["reason"]) == (400, "FIELD_INVALID")
    reader = await web.grpc.keys.create(scopes=[access.SCOPE_READ])
    refused = await web.http.get(place, headers={"x-api-key": reader.api_key})
    assert (refused.status_code, refused.json()["reason"]) == (403, "SCOPE_MISSING")


async def test_a_dead_letter_is_listed_and_replayed(web: Web, empty_mesh: EmptyMesh) -> None:
    stage = empty_mesh.stages["preprocess"]

    async def damaged(_: object) -> None:
        raise StageError(Code.INVALID_ARGUMENT, Reason.AUDIO_CORRUPT, "It is damaged.")

    async def mended(_: object) -> None: ...

    stage.hook = damaged
    made = await add(web.grpc)
    found = (await web.http.get("/v1/dead-letters", params={"job_id": made.job_id})).json()
    (letter,) = found["letters"]
    assert letter["failure"]["reason"] == "AUDIO_CORRUPT"
    other = await web.http.get("/v1/dead-letters", headers={"maie-tenant": "other"})
    assert other.json()["letters"] == []
    stage.hook = mended
    place = f"/v1/dead-letters/{letter['letter_id']}/replay"
    hidden = await web.http.post(place, headers={"maie-tenant": "other"})
    assert (hidden.status_code, hidden.json()["reason"]) == (404, "DEAD_LETTER_NOT_FOUND")
    replayed = await web.http.post(place)
    assert (replayed.status_code, replayed.json()["job_id"]) == (200, made.job_id)
    assert (await web.http.post(place)).status_code == 404
