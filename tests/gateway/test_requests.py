"""A submit that is sent again gives the same job, whatever happened to the first."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError, JobOptions
from maie_core.errors import StageError
from maie_gateway.intake.requests import Requests
from maie_runtime.blobs import Blobs
from maie_runtime.bus.provision import open_provisioned_broker
from tests.gateway.conftest import EmptyMesh

pytestmark = pytest.mark.mesh

RAW = ("raw_transcript",)
DUPLICATES = 100


async def recording(content: bytes = b"not empty") -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield content


async def submit(client: Client, request_id: str, content: bytes = b"not empty") -> str:
    """Submits a recording; gives its job's id."""
    made = await client.create_job(recording(content), features=RAW, request_id=request_id)
    return made.job_id


async def uploads(mesh: EmptyMesh) -> list[str]:
    """The keys of all stored recordings that came under a request id."""
    return [stored.key async for stored in Blobs(mesh.mesh.blob_url).stored("uploads")]


async def test_the_same_request_gives_the_same_job(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client:
        first = await submit(client, "monday")
        assert await submit(client, "monday") == first
        assert await submit(client, "tuesday") != first
        events = [
            told async for told in client.process(recording(), features=RAW, request_id="monday")
        ]
        assert events[0].accepted.job_id == first
        assert events[-1].finished.job.state == job.JOB_STATE_COMPLETE
        # Finished by now, and still the same one.
        assert await submit(client, "monday") == first
        assert len([shown async for shown in client.list_jobs()]) == 2
    assert len(await uploads(empty_mesh)) == 2


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b"not empty", {"features": ("clean_transcript",), "request_id": "monday"}),
        (b"not empty", {"features": RAW, "request_id": "monday", "labels": {"team": "search"}}),
        (b"another recording", {"features": RAW, "request_id": "monday"}),
        (b"NOT EMPTY", {"features": RAW, "request_id": "monday"}),
    ],
)
async def test_a_request_id_with_other_content_is_refused(
    empty_mesh: EmptyMesh, content: bytes, options: JobOptions
) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        first = await submit(client, "monday")
        with pytest.raises(ClientError) as refused:
            await client.create_job(recording(content), **options)
        assert (refused.value.code.name, refused.value.reason) == (
            "ALREADY_EXISTS",
            "REQUEST_ID_REUSED",
        )
        assert [shown.job_id async for shown in client.list_jobs()] == [first]
    assert len(await uploads(empty_mesh)) == 1


async def test_a_job_that_was_renamed_is_still_the_same_submit(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        first = await submit(client, "monday")
        await client.update_job(first, display_name="Monday", labels={"team": "search"})
        assert await submit(client, "monday") == first


async def test_request_ids_of_tenants_are_their_own(empty_mesh: EmptyMesh) -> None:
    async with (
        empty_mesh.gateway() as address,
        Client(address, tenant="a") as a,
        Client(address, tenant="b") as b,
    ):
        assert await submit(a, "monday") != await submit(b, "monday", b"something else")


async def test_a_hundred_at_once_at_two_gateways_are_one_job(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options.update(max_uploads=DUPLICATES, max_uploads_per_tenant=DUPLICATES)
    async with (
        empty_mesh.gateway() as one,
        empty_mesh.gateway() as two,
        Client(one) as first,
        Client(two) as second,
    ):
        made = await asyncio.gather(
            *(submit((first, second)[i % 2], "monday") for i in range(DUPLICATES))
        )
        assert len(set(made)) == 1
        assert [shown.job_id async for shown in first.list_jobs()] == made[:1]
        # They took one place in the queue, at either gateway.
        for client in (first, second):
            assert (await client.get_mesh()).active_jobs == 1
    assert len(await uploads(empty_mesh)) == 1


async def test_a_duplicate_of_a_job_needs_no_room_in_the_queue(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options["max_active_jobs"] = 1
    async with empty_mesh.gateway() as address, Client(address) as client:
        first = await submit(client, "monday")
        assert await submit(client, "monday") == first
        with pytest.raises(ClientError, match="unfinished"):
            await submit(client, "tuesday")


async def test_a_gateway_that_died_before_the_record_strands_no_id(empty_mesh: EmptyMesh) -> None:
    job_id = "01900000-0000-7000-8000-000000000000"
    async with empty_mesh.gateway() as address, Client(address) as client:
        async with open_provisioned_broker(empty_mesh.nats.url, "test") as broker:
            requests = Requests(broker)
            assert await requests.bind("default", "monday", job_id) == job_id
            assert await requests.bind("default", "monday", str(uuid.uuid4())) == job_id
        await Blobs(empty_mesh.mesh.blob_url).put(f"uploads/{job_id}/left-behind", b"half")
        assert await submit(client, "monday") == job_id
        assert await submit(client, "monday") == job_id


async def test_an_upload_that_broke_off_leaves_its_id_free(empty_mesh: EmptyMesh) -> None:
    async def breaks_off() -> AsyncIterator[bytes]:
        yield b"not"
        raise OSError("The disk is gone.")

    async with empty_mesh.gateway() as address, Client(address) as client:
        with pytest.raises(OSError, match="disk"):
            await client.create_job(breaks_off(), features=RAW, request_id="monday")
        # Nothing became of it, so that other content is no contradiction.
        assert await submit(client, "monday", b"something else")
    assert len(await uploads(empty_mesh)) == 1


@pytest.mark.slow
async def test_a_forgotten_id_is_free_and_one_of_another_job_is_kept(
    empty_mesh: EmptyMesh,
) -> None:
    async with open_provisioned_broker(empty_mesh.nats.url, "test") as broker:
        requests = Requests(broker)
        await requests.bind("default", "monday", "first")
        await requests.forget("default", "monday", "another")
        assert await requests.find("default", "monday") == "first"
        await requests.forget("default", "monday", "first")
        assert await requests.find("default", "monday") == ""
        assert await requests.bind("default", "monday", "second") == "second"
        await empty_mesh.nats.stop()
        with pytest.raises(StageError, match="broker"):
            await requests.find("default", "monday")
