"""Recordings as forms: streamed, in any order of fields, refused with the right status."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from tests.conftest import free_port
from tests.gateway.conftest import EmptyMesh
from tests.gateway.fetching.origin import LOOPBACK, Origin, answer, stalling
from tests.waiting import until
from tests.web.conftest import Web, web_before

pytestmark = pytest.mark.mesh

BOUNDARY = "----maie"
HEADERS = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
AUDIO = b"RIFF\0\0\0\0WAVE" + bytes(range(256)) * 40


def _field(name: str, value: str) -> bytes:
    head = f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n'
    return head.encode() + value.encode() + b"\r\n"


def _file(content: bytes = AUDIO, name: str = "talk.wav") -> bytes:
    head = f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()
RAW = _field("features", "raw_transcript")


async def _post(web: Web, *parts: bytes, **headers: str) -> httpx.Response:
    return await web.http.post(
        "/v1/process", content=b"".join((*parts, END)), headers=HEADERS | headers
    )


async def test_a_form_becomes_a_job_with_what_it_asks_for(web: Web) -> None:
    options = {"asr_options": {"language_code": "de", "task": "TRANSCRIBE"}, "labels": {"a": "b"}}
    got = await _post(
        web,
        _field("features", "raw_transcript,clean_transcript"),
        _field("display_name", "Küche"),
        _field("options", json.dumps(options)),
        _file(),
    )
    assert got.status_code == 202, got.text
    made = await web.grpc.get_job(got.json()["job_id"])
    assert got.headers["location"] == f"/v1/jobs/{made.job_id}"
    assert list(made.config.features) == [
        job.FEATURE_RAW_TRANSCRIPT,
        job.FEATURE_CLEAN_TRANSCRIPT,
    ]
    assert made.config.filename == "talk.wav"
    assert made.display_name == "Küche"
    assert made.labels == {"a": "b"}
    assert made.config.asr_options.language_code == "de"
    audio = b"".join([part.audio async for part in web.grpc.get_audio(made.job_id)])
    assert audio == AUDIO


@pytest.mark.parametrize("before", range(4))
async def test_fields_count_before_and_after_the_file(web: Web, before: int) -> None:
    fields = [
        _field("features", "clean_transcript"),
        _field("features", "summary"),
        _field("template_id", "meeting_notes_v1"),
    ]
    got = await _post(web, *fields[:before], _file(), *fields[before:])
    assert got.status_code == 202, got.text
    made = await web.grpc.get_job(got.json()["job_id"])
    assert list(made.config.features) == [job.FEATURE_CLEAN_TRANSCRIPT, job.FEATURE_SUMMARY]
    assert made.config.template_id == "meeting_notes_v1"


@pytest.mark.parametrize("before", range(3))
@pytest.mark.parametrize("name", ["reading_text", "options"])
async def test_a_reading_has_its_text_before_and_after_the_file(
    web: Web, before: int, name: str
) -> None:
    text = "Mr. Bennet was among\nthe earliest."
    value = text if name == "reading_text" else json.dumps({"reading_options": {"text": text}})
    fields = [_field("features", "reading"), _field(name, value)]
    got = await _post(web, *fields[:before], _file(), *fields[before:])
    assert got.status_code == 202, got.text
    made = await web.grpc.get_job(got.json()["job_id"])
    assert list(made.config.features) == [job.FEATURE_READING]
    assert "Bennet" not in got.text


@pytest.mark.parametrize("before", range(4))
async def test_a_digest_has_its_summary_before_and_after_the_file(web: Web, before: int) -> None:
    named = [("features", "digest"), ("features", "summary"), ("template_id", "meeting_notes_v1")]
    fields = [_field(*each) for each in named]
    got = await _post(web, *fields[:before], _file(), *fields[before:])
    assert got.status_code == 202, got.text
    made = await web.grpc.get_job(got.json()["job_id"])
    assert set(made.config.features) == {job.FEATURE_DIGEST, job.FEATURE_SUMMARY}


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    ("fields", "status", "reason", "field"),
    [
        ([("features", "nonsense")], 400, "FIELD_INVALID", "features"),
        ([("options", "[1")], 400, "FIELD_INVALID", "options"),
        ([("options", '{"asr_options": {"beam": 5}}')], 400, "FIELD_INVALID", "options"),
        ([("feature", "summary")], 400, "FIELD_INVALID", "feature"),
        ([("features", "summary")], 400, "TEMPLATE_REQUIRED", "config.template_id"),
        ([("features", "digest")], 400, "OPTION_NOT_SUPPORTED", "config.features"),
        (
            [("features", "reading")],
            400,
            "READING_TEXT_INVALID",
            "config.reading_options.text",
        ),
        (
            [("features", "summary"), ("template_id", "none_v1")],
            404,
            "TEMPLATE_NOT_FOUND",
            "config.template_id",
        ),
    ],
)
async def test_a_wrong_field_is_refused_wherever_it_is(
    shared_web: Web,
    fields: list[tuple[str, str]],
    status: int,
    reason: str,
    field: str,
    first: bool,
) -> None:
    parts = [_field(name, value) for name, value in fields]
    got = await _post(shared_web, *([*parts, _file()] if first else [_file(), *parts]))
    problem = got.json()
    assert (got.status_code, problem["reason"]) == (status, reason)
    assert got.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert field in problem["fields"] or reason == "TEMPLATE_NOT_FOUND"
    assert [each async for each in shared_web.grpc.list_jobs()] == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b""),
        (HEADERS["content-type"], b""),
        (HEADERS["content-type"], END),
        (HEADERS["content-type"], b"--other\r\n\r\n"),
        (HEADERS["content-type"], RAW + END),
        (HEADERS["content-type"], _file()),
        (HEADERS["content-type"], RAW + _file()[:-300]),
        (HEADERS["content-type"], _file() + _file() + END),
        (HEADERS["content-type"], _field("file", "no filename") + END),
        (HEADERS["content-type"], b"\xff" * 5000),
    ],
)
async def test_what_is_no_whole_form_is_refused(
    shared_web: Web, content_type: str, body: bytes
) -> None:
    got = await shared_web.http.post(
        "/v1/process", content=body, headers={"content-type": content_type}
    )
    assert (got.status_code, got.json()["reason"][:8]) in ((400, "REQUEST_"), (400, "FIELD_IN"))
    assert [each async for each in shared_web.grpc.list_jobs()] == []


async def test_statuses_of_refused_recordings(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options["max_upload_bytes"] = 20_000
    async with empty_mesh.running() as client, web_before(client) as web:
        large = await _post(web, RAW, _file(AUDIO + bytes(20_000_000)))
        text = await _post(web, RAW, _file(b"%PDF-1.7 " + bytes(3000)))
        empty = await _post(web, RAW, _file(b""))
    assert (large.status_code, large.json()["reason"]) == (413, "UPLOAD_TOO_LARGE")
    assert (text.status_code, text.json()["reason"]) == (415, "UNSUPPORTED_FORMAT")
    assert (empty.status_code, empty.json()["reason"]) == (400, "AUDIO_EMPTY")


async def test_a_full_queue_is_429_with_when_to_try_again(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options |= {"max_active_jobs": 1, "max_active_jobs_per_tenant": 1}
    async with (
        empty_mesh.gateway() as address,
        Client(address) as client,
        web_before(client) as web,
    ):
        assert (await _post(web, RAW, _file())).status_code == 202
        full = await _post(web, RAW, _file())
    assert full.status_code == 429
    assert int(full.headers["retry-after"]) == full.json()["retry_after_seconds"] >= 1


async def test_a_url_in_place_of_a_file_is_fetched(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options["fetch"] = LOOPBACK
    async with (
        Origin().running() as origin,
        empty_mesh.gateway() as address,
        Client(address) as client,
        web_before(client) as web,
    ):
        origin.answers["/talk.wav"] = answer(AUDIO)
        key = {"idempotency-key": "k1"}
        got = await _post(web, _field("url", origin.url("/talk.wav")), RAW, **key)
        assert got.status_code == 202, got.text
        assert got.json()["config"]["filename"] == "talk.wav"
        assert got.headers["location"] == f"/v1/jobs/{got.json()['job_id']}"
        again = await _post(web, _field("url", origin.url("/talk.wav")), RAW, **key)
        assert again.json()["job_id"] == got.json()["job_id"]
        assert origin.paths == ["/talk.wav"]
        for url, status, reason in (
            (origin.url("/none"), 422, "FETCH_NOT_FOUND"),
            ("http://127.0.0.2/", 400, "URI_NOT_ALLOWED"),
            (f"http://127.0.0.1:{free_port()}/", 502, "FETCH_UNAVAILABLE"),
        ):
            problem = (await _post(web, RAW, _field("url", url))).json()
            assert (problem["status"], problem["reason"]) == (status, reason)
            assert "url" in problem["fields"]
        for parts in ((_field("url", "http://a.test/"), _file()), (_file(), _field("url", "x"))):
            both = await _post(web, RAW, *parts)
            assert (both.status_code, both.json()["reason"]) == (400, "FIELD_INVALID")


async def test_a_client_that_leaves_ends_the_fetch(empty_mesh: EmptyMesh) -> None:
    left = asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stalling(answer(AUDIO, content_length="999999"))(reader, writer)
        left.set()

    empty_mesh.gateway_options["fetch"] = LOOPBACK
    async with (
        Origin(answers={"/a": never}).running() as origin,
        empty_mesh.gateway() as address,
        Client(address) as client,
        web_before(client) as web,
    ):
        asking = asyncio.create_task(_post(web, RAW, _field("url", origin.url("/a"))))
        await until(lambda: origin.requests)
        asking.cancel()
        await left.wait()
        assert [each async for each in client.list_jobs()] == []


async def test_the_same_key_gives_the_same_job(web: Web) -> None:
    one = await _post(web, RAW, _file(), **{"idempotency-key": "k1"})
    same = await _post(web, _file(), RAW, **{"idempotency-key": "k1"})
    other = await _post(web, RAW, _file(AUDIO + b"x"), **{"idempotency-key": "k1"})
    assert one.json()["job_id"] == same.json()["job_id"]
    assert (other.status_code, other.json()["reason"]) == (409, "REQUEST_ID_REUSED")


async def test_a_recording_is_passed_on_while_it_comes(web: Web, empty_mesh: EmptyMesh) -> None:
    go_on = asyncio.Event()
    large = AUDIO + bytes(32 * 1024 * 1024)

    async def slowly() -> AsyncIterator[bytes]:
        yield RAW + _file(large)[:-2]
        await go_on.wait()
        yield b"more\r\n" + END

    sending = asyncio.create_task(web.http.post("/v1/process", content=slowly(), headers=HEADERS))
    # The gateway has what came so far before the client sends the rest.
    await until(lambda: any(path.stat().st_size for path in _files(empty_mesh)))
    go_on.set()
    got = await sending
    assert got.status_code == 202
    made = await web.grpc.get_job(got.json()["job_id"])
    audio = b"".join([part.audio async for part in web.grpc.get_audio(made.job_id)])
    assert audio == large + b"more"


def _files(empty_mesh: EmptyMesh) -> list[Path]:
    root = Path(urlsplit(empty_mesh.mesh.blob_url).path)
    return [path for path in root.rglob("*") if path.is_file()]


async def test_a_client_that_leaves_in_the_middle_leaves_no_job(web: Web) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield RAW + _file()
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await web.http.post("/v1/process", content=broken(), headers=HEADERS)
    assert [each async for each in web.grpc.list_jobs()] == []
    assert (await _post(web, RAW, _file())).status_code == 202


async def test_every_line_of_the_documentation_is_there(web: Web) -> None:
    found: dict[str, Any] = (await web.http.get("/docs/openapi.json")).json()
    form = found["paths"]["/v1/process"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert set(form["schema"]["properties"]) == {
        "file",
        "url",
        "features",
        "template_id",
        "reading_text",
        "display_name",
        "options",
    }
