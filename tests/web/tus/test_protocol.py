"""tus 1.0, header by header."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

import httpx
import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from tests.gateway.conftest import EmptyMesh
from tests.gateway.uploads.conftest import AUDIO, audio_of
from tests.waiting import PATIENCE_SECONDS
from tests.web.conftest import Web, web_before

pytestmark = pytest.mark.mesh

VERSION = {"tus-resumable": "1.0.0"}
BYTES = {**VERSION, "content-type": "application/offset+octet-stream"}


def told(**fields: str) -> str:
    """Upload-Metadata of some fields."""
    pairs = (f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in fields.items())
    return ",".join(pairs)


RAW = told(filename="küche.wav", features="raw_transcript")


async def begin(
    web: Web, size: int = len(AUDIO), metadata: str = RAW, **headers: str
) -> httpx.Response:
    """Begins an upload."""
    sent = {**VERSION, "upload-length": str(size), "upload-metadata": metadata, **headers}
    return await web.http.post("/v1/uploads", headers=sent)


async def append(
    web: Web, place: str, offset: int, content: bytes | AsyncIterator[bytes], **headers: str
) -> httpx.Response:
    """Appends to an upload."""
    sent = {**BYTES, "upload-offset": str(offset), **headers}
    return await web.http.patch(place, content=content, headers=sent)


async def test_what_is_spoken_is_said_to_everybody(shared_web: Web) -> None:
    said = await shared_web.http.options("/v1/uploads")
    assert said.status_code == 204
    assert said.headers["tus-version"] == "1.0.0"
    assert said.headers["tus-extension"] == (
        "creation,creation-with-upload,termination,expiration,checksum"
    )
    assert said.headers["tus-checksum-algorithm"].startswith("sha1,")


async def test_an_upload_in_two_requests_is_a_job(shared_web: Web) -> None:
    begun = await begin(shared_web)
    assert (begun.status_code, begun.content) == (201, b"")
    assert begun.headers["upload-offset"] == "0"
    parsedate_to_datetime(begun.headers["upload-expires"])
    place = begun.headers["location"]
    half = await append(shared_web, place, 0, AUDIO[:5000])
    assert (half.status_code, half.headers["upload-offset"]) == (204, "5000")
    now = await shared_web.http.head(place, headers=VERSION)
    assert now.status_code == 200
    assert {
        name: now.headers[name]
        for name in ("upload-offset", "upload-length", "upload-metadata", "cache-control")
    } == {
        "upload-offset": "5000",
        "upload-length": str(len(AUDIO)),
        "upload-metadata": RAW,
        "cache-control": "no-store",
    }
    assert "maie-job-id" not in now.headers
    whole = await append(shared_web, place, 5000, AUDIO[5000:])
    assert (whole.status_code, whole.headers["upload-offset"]) == (204, str(len(AUDIO)))
    job_id = whole.headers["maie-job-id"]
    assert whole.headers["location"] == f"/v1/jobs/{job_id}"
    assert (await shared_web.http.head(place, headers=VERSION)).headers["maie-job-id"] == job_id
    made = await shared_web.grpc.get_job(job_id)
    assert made.config.filename == "küche.wav"
    assert await audio_of(shared_web.grpc, job_id) == AUDIO


async def test_a_small_recording_comes_with_its_creation(shared_web: Web) -> None:
    sent = {**BYTES, "upload-length": "5", "upload-metadata": RAW}
    made = await shared_web.http.post("/v1/uploads", content=b"sound", headers=sent)
    assert (made.status_code, made.headers["upload-offset"]) == (201, "5")
    assert made.headers["location"].startswith("/v1/uploads/")
    assert await audio_of(shared_web.grpc, made.headers["maie-job-id"]) == b"sound"


async def test_fields_are_those_of_forms(shared_web: Web) -> None:
    summary = told(features="summary", template_id="meeting_notes_v1")
    assert (await begin(shared_web, metadata=summary)).status_code == 201
    for fields, status, reason in (
        (told(features="nonsense"), 400, "FIELD_INVALID"),
        (told(feature="summary"), 400, "FIELD_INVALID"),
        (told(features="summary"), 400, "TEMPLATE_REQUIRED"),
        (told(features="summary", template_id="none_v1"), 404, "TEMPLATE_NOT_FOUND"),
        ("features ???", 400, "REQUEST_UNREADABLE"),
    ):
        refused = await begin(shared_web, metadata=fields)
        assert (refused.status_code, refused.json()["reason"]) == (status, reason)
        assert refused.headers["tus-resumable"] == "1.0.0"


async def test_a_text_that_no_header_carries_comes_in_a_form(shared_web: Web) -> None:
    text = "Once upon a time. " * 10_000
    fields = {"filename": "küche.wav", "features": "reading", "reading_text": text}
    sent = {**VERSION, "upload-length": "5"}
    files = {name: (None, value) for name, value in fields.items()}
    begun = await shared_web.http.post("/v1/uploads", files=files, headers=sent)
    assert (begun.status_code, begun.headers["upload-offset"]) == (201, "0")
    assert begun.headers["upload-metadata"] == told(filename="küche.wav", features="reading")
    whole = await append(shared_web, begun.headers["location"], 0, b"sound")
    made = await shared_web.grpc.get_job(whole.headers["maie-job-id"])
    assert made.config.features == [job.FEATURE_READING]
    assert made.config.filename == "küche.wav"
    refused = await shared_web.http.post(
        "/v1/uploads", files={"features": (None, "reading")}, headers=sent
    )
    assert (refused.status_code, refused.json()["reason"]) == (400, "READING_TEXT_INVALID")
    recording = {"file": ("talk.wav", b"sound")}
    refused = await shared_web.http.post("/v1/uploads", files=recording, headers=sent)
    assert (refused.status_code, refused.json()["reason"]) == (400, "REQUEST_UNREADABLE")


async def test_the_text_of_a_reading_is_not_given_back(shared_web: Web) -> None:
    begun = await begin(shared_web, metadata=told(features="reading", reading_text="Once upon."))
    assert begun.headers["upload-metadata"] == told(features="reading")


async def test_the_same_key_gives_the_same_job(shared_web: Web) -> None:
    jobs = set()
    for _ in range(2):
        begun = await begin(shared_web, 5, RAW, **{"idempotency-key": "monday"})
        whole = await append(shared_web, begun.headers["location"], 0, b"sound")
        jobs.add(whole.headers["maie-job-id"])
    assert len(jobs) == 1


async def test_statuses_of_refused_requests(shared_web: Web) -> None:
    place = (await begin(shared_web, 10)).headers["location"]
    version = {"tus-resumable": "0.2.2"}
    wrong = await append(shared_web, place, 0, b"x", **version)
    assert (wrong.status_code, wrong.headers["tus-version"]) == (412, "1.0.0")
    assert (await shared_web.http.head(place, headers=version)).status_code == 412
    assert (await begin(shared_web, 5, RAW, **version)).status_code == 412
    ahead = await append(shared_web, place, 5, b"x")
    assert (ahead.status_code, ahead.headers["upload-offset"]) == (409, "0")
    assert (
        await append(shared_web, place, 0, b"x", **{"content-type": "audio/wav"})
    ).status_code == 415
    assert (await append(shared_web, place, 0, b"x" * 11)).status_code == 413
    assert (await append(shared_web, place, 0, b"%PDF-1.7")).status_code == 415
    huge = await begin(shared_web, 2**50)
    assert (huge.status_code, huge.json()["reason"]) == (413, "UPLOAD_TOO_LARGE")
    assert (await begin(shared_web, 0)).json()["reason"] == "AUDIO_EMPTY"
    assert (await begin(shared_web, 5, RAW, **{"upload-length": "many"})).status_code == 400
    absent = await append(shared_web, "/v1/uploads/none", 0, b"x")
    assert (absent.status_code, absent.json()["reason"]) == (404, "UPLOAD_NOT_FOUND")


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
async def test_a_wrong_checksum_is_460_and_keeps_nothing(shared_web: Web, algorithm: str) -> None:
    place = (await begin(shared_web, 5)).headers["location"]

    def checksum(content: bytes) -> dict[str, str]:
        digest = base64.b64encode(hashlib.new(algorithm, content).digest()).decode()
        return {"upload-checksum": f"{algorithm} {digest}"}

    wrong = await append(shared_web, place, 0, b"souNd", **checksum(b"sound"))
    assert (wrong.status_code, wrong.json()["reason"]) == (460, "UPLOAD_CHECKSUM_WRONG")
    assert (await shared_web.http.head(place, headers=VERSION)).headers["upload-offset"] == "0"
    bad = await append(shared_web, place, 0, b"sound", **{"upload-checksum": "crc32 AAAA"})
    assert bad.status_code == 400
    right = await append(shared_web, place, 0, b"sound", **checksum(b"sound"))
    assert (right.status_code, right.headers["upload-offset"]) == (204, "5")


async def test_what_came_before_a_cut_is_kept(shared_web: Web) -> None:
    place = (await begin(shared_web)).headers["location"]

    async def cut() -> AsyncIterator[bytes]:
        yield AUDIO[:6000]
        await asyncio.sleep(0.2)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await append(shared_web, place, 0, cut())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await shared_web.http.head(place, headers=VERSION)).headers["upload-offset"] == "0":
            await asyncio.sleep(0.05)
    offset = int((await shared_web.http.head(place, headers=VERSION)).headers["upload-offset"])
    whole = await append(shared_web, place, offset, AUDIO[offset:])
    assert await audio_of(shared_web.grpc, whole.headers["maie-job-id"]) == AUDIO


async def test_an_upload_is_removed_also_by_clients_without_delete(shared_web: Web) -> None:
    for headers in ({}, {"x-http-method-override": "DELETE"}):
        place = (await begin(shared_web)).headers["location"]
        method = "POST" if headers else "DELETE"
        gone = await shared_web.http.request(method, place, headers={**VERSION, **headers})
        assert gone.status_code == 204
        assert (await shared_web.http.head(place, headers=VERSION)).status_code == 404
    place = (await begin(shared_web, 5)).headers["location"]
    sent = {**BYTES, "upload-offset": "0", "x-http-method-override": "PATCH"}
    whole = await shared_web.http.post(place, content=b"sound", headers=sent)
    assert (whole.status_code, "maie-job-id" in whole.headers) == (204, True)


async def test_another_tenants_upload_is_absent(shared_web: Web) -> None:
    place = (await begin(shared_web, 5)).headers["location"]
    theirs = {**VERSION, "maie-tenant": "theirs"}
    assert (await shared_web.http.head(place, headers=theirs)).status_code == 404
    assert (await append(shared_web, place, 0, b"sound", **theirs)).status_code == 404
    assert (await shared_web.http.delete(place, headers=theirs)).status_code == 404
    assert (await append(shared_web, place, 0, b"sound")).status_code == 204


async def test_a_full_queue_is_429_and_head_makes_the_job_later(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options |= {"max_active_jobs": 1, "max_active_jobs_per_tenant": 1}
    async with (
        empty_mesh.gateway() as address,
        Client(address) as client,
        web_before(client) as web,
    ):
        place = (await begin(web, 5)).headers["location"]
        first = await begin(web, 5)
        made = await append(web, first.headers["location"], 0, b"sound")
        full = await append(web, place, 0, b"sound")
        assert (full.status_code, "retry-after" in full.headers) == (429, True)
        assert (await web.http.head(place, headers=VERSION)).status_code == 429
        await client.cancel_job(made.headers["maie-job-id"])
        now = await web.http.head(place, headers=VERSION)
        assert (now.status_code, "maie-job-id" in now.headers) == (200, True)
