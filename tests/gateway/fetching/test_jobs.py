"""A recording at a URL becomes one job, like an upload; a failed fetch leaves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from maie.access.v1 import access_pb2 as access
from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from maie_gateway.fetching.settings import FetchSettings
from maie_runtime.blobs import Blobs
from tests.gateway.conftest import EmptyMesh
from tests.gateway.fetching.origin import (
    AUDIO,
    LOOPBACK,
    Answer,
    Origin,
    answer,
    stalling,
    status,
)
from tests.gateway.test_gateway_deaths import dying_gateway
from tests.waiting import until

pytestmark = pytest.mark.mesh

RAW = ("raw_transcript",)


@asynccontextmanager
async def gateway(mesh: EmptyMesh, **options: Any) -> AsyncIterator[Client]:
    mesh.gateway_options |= {"fetch": LOOPBACK, **options}
    async with mesh.gateway() as address, Client(address) as client:
        yield client


async def audio_of(client: Client, made: job.Job) -> bytes:
    return b"".join([part.audio async for part in client.get_audio(made.job_id)])


async def refused(client: Client, url: str, **options: Any) -> str:
    with pytest.raises(ClientError) as caught:
        await client.create_job_from_url(url, features=RAW, **options)
    assert url not in caught.value.message
    return f"{caught.value.code.name} {caught.value.reason}"


async def nothing_is_kept(mesh: EmptyMesh, client: Client) -> None:
    assert [each async for each in client.list_jobs()] == []
    assert [each async for each in Blobs(mesh.mesh.blob_url).stored("")] == []


async def test_a_fetched_recording_is_a_job_like_an_uploaded_one(
    empty_mesh: EmptyMesh, origin: Origin
) -> None:
    empty_mesh.gateway_options["fetch"] = LOOPBACK
    origin.answers["/monday%20talk.wav?sig=x"] = answer(AUDIO)
    async with empty_mesh.running() as client:
        url = origin.url("/monday%20talk.wav?sig=x")
        events = [each async for each in client.process_url(url, features=RAW)]
        done = events[-1].finished.job
        assert done.state == job.JOB_STATE_COMPLETE
        assert done.display_name == done.config.filename == "monday talk.wav"
        assert await audio_of(client, done) == AUDIO
        named = await client.create_job_from_url(url, features=RAW, filename="a.wav")
        assert named.display_name == "a.wav"


async def test_a_request_id_gives_one_job_and_its_url_is_asked_once(
    empty_mesh: EmptyMesh, origin: Origin
) -> None:
    origin.answers |= {
        "/a": answer(AUDIO, content_disposition='attachment; filename="a.wav"'),
        "/same": answer(AUDIO, content_disposition='attachment; filename="a.wav"'),
        "/other": answer(AUDIO + b"more"),
    }
    async with gateway(empty_mesh) as client:

        async def ask(path: str, **options: Any) -> job.Job:
            return await client.create_job_from_url(
                origin.url(path), features=RAW, request_id="monday", **options
            )

        made = await ask("/a")
        origin.answers["/a"] = status(410)
        assert (await ask("/a")).job_id == made.job_id
        assert origin.paths == ["/a"]
        assert (await ask("/same")).job_id == made.job_id
        for path, options in (("/other", {}), ("/a", {"display_name": "B"})):
            said = await refused(client, origin.url(path), request_id="monday", **options)
            assert said == "ALREADY_EXISTS REQUEST_ID_REUSED"
        assert len([each async for each in client.list_jobs()]) == 1


async def test_what_fails_leaves_nothing(empty_mesh: EmptyMesh, origin: Origin) -> None:
    cases: dict[str, tuple[Answer, str]] = {
        "/absent": (status(404), "FAILED_PRECONDITION FETCH_NOT_FOUND"),
        "/login": (status(401), "FAILED_PRECONDITION FETCH_FORBIDDEN"),
        "/fault": (status(503), "ABORTED FETCH_UNAVAILABLE"),
        "/page": (answer(b"<!doctype html>"), "INVALID_ARGUMENT UNSUPPORTED_FORMAT"),
        "/pdf": (answer(b"%PDF-1.7 and so on"), "INVALID_ARGUMENT UNSUPPORTED_FORMAT"),
        "/empty": (answer(b""), "INVALID_ARGUMENT AUDIO_EMPTY"),
        "/broken": (answer(AUDIO, content_length="999999"), "ABORTED FETCH_INCOMPLETE"),
        "/large": (answer(AUDIO, content_length="10000000"), "RESOURCE_EXHAUSTED UPLOAD_TOO_LARGE"),
        "/endless": (
            answer(bytes(1_000_001), content_length=""),
            "RESOURCE_EXHAUSTED UPLOAD_TOO_LARGE",
        ),
        "/silent": (stalling(), "ABORTED FETCH_TOO_SLOW"),
        "/stalled": (
            stalling(answer(AUDIO, content_length="999999")),
            "ABORTED FETCH_TOO_SLOW",
        ),
    }
    origin.answers |= {path: given for path, (given, _) in cases.items()}
    limits = {"max_upload_bytes": 1_000_000, "upload_idle_seconds": 0.5}
    async with gateway(empty_mesh, **limits) as client:
        said = await asyncio.gather(*(refused(client, origin.url(path)) for path in cases))
        assert list(zip(cases, said, strict=True)) == [(path, cases[path][1]) for path in cases]
        await nothing_is_kept(empty_mesh, client)


async def test_a_call_that_is_cancelled_ends_the_fetch(
    empty_mesh: EmptyMesh, origin: Origin
) -> None:
    closed = asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stalling(answer(AUDIO, content_length="999999"))(reader, writer)
        closed.set()

    origin.answers["/a"] = never
    async with gateway(empty_mesh) as client:
        asking = asyncio.create_task(client.create_job_from_url(origin.url("/a"), features=RAW))
        await until(lambda: origin.requests)
        asking.cancel()
        await closed.wait()
        await nothing_is_kept(empty_mesh, client)


async def test_who_may_not_ask_has_nothing_fetched(empty_mesh: EmptyMesh, origin: Origin) -> None:
    origin.answers["/a"] = answer(AUDIO)
    async with gateway(empty_mesh) as client:
        url = origin.url("/a")
        reader = await client.keys.create(tenant="acme", scopes=[access.SCOPE_READ])
        with pytest.raises(ClientError) as caught:
            await client.acting(token=reader.api_key).create_job_from_url(url, features=RAW)
        assert caught.value.reason == "SCOPE_MISSING"
        assert await refused(client, "http://127.0.0.2/") == "INVALID_ARGUMENT URI_NOT_ALLOWED"
        unknown = await refused(client, url, template_id="none_v1", labels={"A B": "c"})
        assert unknown == "INVALID_ARGUMENT LABELS_INVALID"
        assert origin.requests == []
        made = await client.create_job_from_url(url, features=RAW)
        for tenant in ("acme", "other"):
            with pytest.raises(ClientError, match="no job"):
                await client.acting(tenant=tenant).get_job(made.job_id)
        ours = access.ListAuditEntriesRequest(job_id=made.job_id, action="CreateJobFromUrl")
        assert [each.status async for each in client.audit.entries(ours)] == ["OK"]
    off = FetchSettings(enabled=False)
    async with gateway(empty_mesh, fetch=off) as client:
        assert await refused(client, url) == "UNIMPLEMENTED FETCH_OFF"


async def test_a_gateway_that_dies_before_it_answers_makes_no_second_job(
    empty_mesh: EmptyMesh, origin: Origin
) -> None:
    origin.answers["/a"] = answer(AUDIO)
    networks = '["127.0.0.1/32"]'
    dying = dying_gateway(
        empty_mesh, "submission.after_begin", MAIE_FETCH_ALLOWED_NETWORKS=networks
    )
    async with dying as (client, _):
        with pytest.raises(ClientError):
            await client.create_job_from_url(origin.url("/a"), features=RAW, request_id="monday")
    async with gateway(empty_mesh) as client:
        made = await client.create_job_from_url(origin.url("/a"), features=RAW, request_id="monday")
        assert [each.job_id async for each in client.list_jobs()] == [made.job_id]
        assert await audio_of(client, made) == AUDIO
    assert origin.paths == ["/a"]
