"""Jobs over HTTP say what they say over gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from maie.job.v1 import job_pb2 as job
from maie_formats.as_json import to_dict
from tests.web.conftest import Web, recording

pytestmark = pytest.mark.mesh

RAW = ("raw_transcript",)


async def _finished(web: Web, **options: object) -> job.Job:
    made = await web.grpc.create_job(recording(), features=RAW, **options)  # type: ignore[arg-type]
    async for _ in web.grpc.watch_job(made.job_id):
        pass
    return await web.grpc.get_job(made.job_id)


async def test_a_job_is_what_grpc_says(shared_web: Web) -> None:
    made = await _finished(shared_web)
    for place in ("jobs", "status"):
        got = await shared_web.http.get(f"/v1/{place}/{made.job_id}")
        assert got.status_code == 200
        assert got.json() == to_dict(made)
    timeline = (await shared_web.http.get(f"/v1/jobs/{made.job_id}/timeline")).json()
    expected = to_dict(await shared_web.grpc.get_timeline(made.job_id))
    assert timeline | {"read_time": ""} == expected | {"read_time": ""}


async def test_lists_are_filtered_and_come_in_pages(web: Web) -> None:
    made = [await _finished(web, labels={"n": str(n)}) for n in range(3)]
    page = (await web.http.get("/v1/jobs", params={"page_size": 2})).json()
    rest = (await web.http.get("/v1/jobs", params={"page_token": page["next_page_token"]})).json()
    ids = [each["job_id"] for each in (*page["jobs"], *rest["jobs"])]
    assert ids == [each.job_id for each in reversed(made)]
    labelled = (await web.http.get("/v1/jobs", params={"label": "n=1"})).json()
    assert [each["job_id"] for each in labelled["jobs"]] == [made[1].job_id]
    states = {"state": ["FAILED", "CANCELLED"]}
    assert (await web.http.get("/v1/jobs", params=states)).json()["jobs"] == []
    until_first = made[0].create_time.ToDatetime().isoformat() + "Z"
    early = await web.http.get("/v1/jobs", params={"accepted_until": until_first})
    assert early.json()["jobs"] == []


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"state": "DONE"}, "FIELD_INVALID"),
        ({"label": "n"}, "FIELD_INVALID"),
        ({"page_token": "x"}, "PAGE_TOKEN_INVALID"),
        ({"page_size": "many"}, "REQUEST_UNREADABLE"),
        ({"page_size": "-1"}, "REQUEST_UNREADABLE"),
        ({"accepted_from": "yesterday"}, "REQUEST_UNREADABLE"),
    ],
)
async def test_a_wrong_question_is_400(
    shared_web: Web, params: dict[str, str], reason: str
) -> None:
    got = await shared_web.http.get("/v1/jobs", params=params)
    assert (got.status_code, got.json()["reason"]) == (400, reason)


async def test_a_job_is_changed_cancelled_and_deleted(shared_web: Web) -> None:
    made = await _finished(shared_web)
    place = f"/v1/jobs/{made.job_id}"
    names = {"speaker_names": {"S1": "Anna"}}
    assert (await shared_web.http.patch(place, json=names)).status_code == 200
    for asked, ids in ({"speaker": "anna"}, [made.job_id]), ({"speaker": "ann"}, []):
        listed = (await shared_web.http.get("/v1/jobs", params=asked)).json()["jobs"]
        assert [each["job_id"] for each in listed] == ids
    wrong = await shared_web.http.patch(place, json={"speaker_names": {"Anna": "S1"}})
    assert (wrong.status_code, wrong.json()["reason"]) == (400, "SPEAKER_NAMES_INVALID")
    changed = await shared_web.http.patch(place, json={"display_name": "New", "labels": {"a": "b"}})
    assert (changed.json()["display_name"], changed.json()["labels"]) == ("New", {"a": "b"})
    assert (await shared_web.http.post(f"{place}/cancel")).json()["state"] == "COMPLETE"
    retried = await shared_web.http.post(f"{place}/retry")
    assert (retried.status_code, retried.json()["reason"]) == (409, "JOB_NOT_RETRYABLE")
    assert (await shared_web.http.delete(place)).status_code == 204
    gone = await shared_web.http.get(place)
    assert (gone.status_code, gone.json()["reason"]) == (404, "JOB_NOT_FOUND")


async def test_models_templates_and_schemas(shared_web: Web) -> None:
    models = (await shared_web.http.get("/v1/models")).json()["models"]
    assert models == [to_dict(each) for each in await shared_web.grpc.list_models()]
    listed = (await shared_web.http.get("/v1/templates")).json()["templates"]
    assert "meeting_notes_v1" in [each["template_id"] for each in listed]
    schema = (await shared_web.http.get("/v1/templates/meeting_notes_v1/schema")).json()
    assert schema["type"] == "object"
    missing = await shared_web.http.get("/v1/templates/none_v1/schema")
    assert (missing.status_code, missing.json()["reason"]) == (404, "TEMPLATE_NOT_FOUND")


async def test_search_finds_moments(web: Web) -> None:
    made = await _finished(web)
    word = made.results.segments[0].text.split()[0]
    while not (expected := [to_dict(each) async for each in web.grpc.search_jobs(word)]):
        await asyncio.sleep(0.01)  # until the index has it
    found = (await web.http.get("/v1/search", params={"q": word})).json()["hits"]
    assert found == expected
    for filters in {"language": "xx"}, {"template": "lecture_v1"}, {"label": "no=such"}:
        left = await web.http.get("/v1/search", params={"q": word, **filters})
        assert left.json()["hits"] == []
    filters = {"language": made.results.language_code, "state": "COMPLETE"}
    assert (await web.http.get("/v1/search", params={"q": word, **filters})).json()["hits"] == found
    assert (await web.http.get("/v1/search")).status_code == 400


async def test_health_says_whether_the_gateway_serves(shared_web: Web) -> None:
    assert (await shared_web.http.get("/health")).json() == {"status": "SERVING", "detail": ""}
    assert (await shared_web.http.get("/health/live")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v2", 404), ("PUT", "/v1/jobs", 405), ("GET", "/v1/jobs/not-an-id", 400)],
)
async def test_what_is_not_there(shared_web: Web, method: str, path: str, status: int) -> None:
    got = await shared_web.http.request(method, path)
    assert got.status_code == status
    assert got.headers["content-type"] == "application/problem+json"
    assert got.json()["detail"].endswith(".")


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/session"), ("PATCH", "/v1/jobs/x")])
@pytest.mark.parametrize("chunked", [True, False])
async def test_a_large_body_without_a_recording_is_refused_before_it_is_held(
    shared_web: Web, method: str, path: str, chunked: bool
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"key": "'
        for _ in range(64):
            yield b"x" * 65_536
        yield b'"}'

    large = pieces() if chunked else b'{"key": "' + b"x" * 4_194_304 + b'"}'
    headers = {"content-type": "application/json"}
    got = await shared_web.http.request(method, path, content=large, headers=headers)
    assert (got.status_code, got.json()["reason"]) == (413, "REQUEST_TOO_LARGE")
