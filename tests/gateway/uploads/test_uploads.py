"""Resumable uploads: in any number of calls, each byte once, and one job at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from maie_gateway.uploads.appending import MOST_SMALL_PARTS, PART_BYTES
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.stored_subjects import stored_subjects
from tests.gateway.conftest import EmptyMesh
from tests.gateway.uploads.conftest import AUDIO, RAW, audio_of, pieces, stored_files
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

ABSENT = "01900000-0000-7000-8000-000000000000"


async def test_an_upload_in_several_calls_is_a_job_of_the_same_bytes(
    gateway: Client, empty_mesh: EmptyMesh
) -> None:
    config = job.JobConfig(
        features=RAW.features, filename="küche.wav", display_name="Küche", labels={"a": "b"}
    )
    begun = await gateway.uploads.begin(config, size_bytes=len(AUDIO), client_metadata="mine")
    assert (begun.offset_bytes, begun.size_bytes, begun.job_id) == (0, len(AUDIO), "")
    place = 0
    for end in (1, 300_000, PART_BYTES + 7, len(AUDIO)):
        now = await gateway.uploads.append(begun.upload_id, place, pieces(AUDIO[place:end]))
        place = now.offset_bytes
        assert place == end
    found = await gateway.uploads.get(begun.upload_id)
    assert (found.offset_bytes, found.client_metadata) == (len(AUDIO), "mine")
    made = await gateway.uploads.finish(begun.upload_id)
    assert made.job_id == begun.upload_id
    assert (made.display_name, dict(made.labels)) == ("Küche", {"a": "b"})
    assert await audio_of(gateway, made.job_id) == AUDIO
    found = await gateway.uploads.get(begun.upload_id)
    assert (found.job_id, found.offset_bytes, found.client_metadata) == (
        made.job_id,
        len(AUDIO),
        "",
    )
    assert not stored_files(empty_mesh, "parts")


async def test_finishing_again_and_at_once_gives_the_same_job(gateway: Client) -> None:
    begun = await gateway.uploads.begin(RAW)
    await gateway.uploads.append(begun.upload_id, 0, pieces(AUDIO))
    made = await asyncio.gather(*(gateway.uploads.finish(begun.upload_id) for _ in range(4)))
    again = await gateway.uploads.finish(begun.upload_id)
    assert {each.job_id for each in (*made, again)} == {begun.upload_id}
    assert await audio_of(gateway, begun.upload_id) == AUDIO
    assert len([each async for each in gateway.list_jobs()]) == 1
    with pytest.raises(ClientError) as more:
        await gateway.uploads.append(begun.upload_id, len(AUDIO), pieces(b"more"))
    assert more.value.reason == "UPLOAD_FINISHED"
    with pytest.raises(ClientError) as gone:
        await gateway.uploads.delete(begun.upload_id)
    assert gone.value.reason == "UPLOAD_FINISHED"


async def test_a_job_that_was_deleted_does_not_come_back(gateway: Client) -> None:
    begun = await gateway.uploads.begin(RAW)
    await gateway.uploads.append(begun.upload_id, 0, pieces(b"sound"))
    made = await gateway.uploads.finish(begun.upload_id)
    await gateway.delete_job(made.job_id)
    with pytest.raises(ClientError) as gone:
        await gateway.uploads.finish(begun.upload_id)
    assert gone.value.reason == "JOB_NOT_FOUND"


async def test_request_ids_are_those_of_other_submits(gateway: Client) -> None:
    config = job.JobConfig(features=RAW.features, request_id="monday")
    first = await gateway.upload(config, pieces(AUDIO))
    same = await gateway.uploads.begin(config)
    await gateway.uploads.append(same.upload_id, 0, pieces(AUDIO))
    assert (await gateway.uploads.finish(same.upload_id)).job_id == first.job_id
    assert (await gateway.uploads.get(same.upload_id)).job_id == first.job_id
    other = await gateway.uploads.begin(config)
    await gateway.uploads.append(other.upload_id, 0, pieces(AUDIO + b"x"))
    with pytest.raises(ClientError) as reused:
        await gateway.uploads.finish(other.upload_id)
    assert reused.value.reason == "REQUEST_ID_REUSED"
    await gateway.uploads.delete(other.upload_id)
    assert await audio_of(gateway, first.job_id) == AUDIO


async def test_of_two_that_append_at_once_one_is_refused_with_where_to_go_on(
    gateway: Client,
) -> None:
    begun = await gateway.uploads.begin(RAW, size_bytes=len(AUDIO))
    go_on = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield AUDIO[:1000]
        await go_on.wait()
        yield AUDIO[1000:]

    slow = asyncio.create_task(gateway.uploads.append(begun.upload_id, 0, slowly()))
    await gateway.uploads.append(begun.upload_id, 0, pieces(AUDIO[:500]))
    go_on.set()
    with pytest.raises(ClientError) as refused:
        await slow
    assert (refused.value.reason, refused.value.offset_bytes) == ("UPLOAD_OFFSET_WRONG", 500)
    with pytest.raises(ClientError) as behind:
        await gateway.uploads.append(begun.upload_id, 0, pieces(AUDIO))
    assert behind.value.offset_bytes == 500
    await gateway.uploads.append(begun.upload_id, 500, pieces(AUDIO[500:]))
    made = await gateway.uploads.finish(begun.upload_id)
    assert await audio_of(gateway, made.job_id) == AUDIO


async def test_what_came_before_a_break_is_kept_unless_it_is_all_or_nothing(
    gateway: Client, empty_mesh: EmptyMesh
) -> None:
    begun = await gateway.uploads.begin(RAW)

    async def broken() -> AsyncIterator[bytes]:
        yield AUDIO[:1000]
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await gateway.uploads.append(begun.upload_id, 0, broken(), all_or_nothing=True)
    assert (await gateway.uploads.get(begun.upload_id)).offset_bytes == 0

    with pytest.raises(ConnectionError):
        await gateway.uploads.append(begun.upload_id, 0, broken())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await gateway.uploads.get(begun.upload_id)).offset_bytes < 1000:
            await asyncio.sleep(0.01)
    await gateway.uploads.append(begun.upload_id, 1000, pieces(AUDIO[1000:]), all_or_nothing=True)
    made = await gateway.uploads.finish(begun.upload_id)
    assert await audio_of(gateway, made.job_id) == AUDIO


async def test_many_small_calls_have_few_parts(gateway: Client, empty_mesh: EmptyMesh) -> None:
    begun = await gateway.uploads.begin(RAW)
    count = MOST_SMALL_PARTS + 5
    for place in range(count):
        await gateway.uploads.append(begun.upload_id, place, pieces(AUDIO[place : place + 1]))
    await until(lambda: len(stored_files(empty_mesh, "parts")) < 10)
    made = await gateway.uploads.finish(begun.upload_id)
    assert await audio_of(gateway, made.job_id) == AUDIO[:count]


async def test_what_is_wrong_is_refused_before_or_while_it_is_sent(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options |= {
        "max_upload_bytes": 1000,
        "max_unfinished_uploads_per_tenant": 2,
    }
    async with empty_mesh.gateway() as address, Client(address) as client:
        uploads = client.uploads

        async def refused(what: object) -> str:
            with pytest.raises(ClientError) as error:
                await what  # type: ignore[misc]
            return error.value.reason

        assert await refused(uploads.begin(job.JobConfig())) == "TEMPLATE_REQUIRED"
        assert await refused(uploads.begin(RAW, size_bytes=0)) == "AUDIO_EMPTY"
        assert await refused(uploads.begin(RAW, size_bytes=-1)) == "FIELD_INVALID"
        assert await refused(uploads.begin(RAW, size_bytes=1001)) == "UPLOAD_TOO_LARGE"
        assert await refused(uploads.begin(RAW, client_metadata="x" * 8193)) == "FIELD_INVALID"
        sized = (await uploads.begin(RAW, size_bytes=10)).upload_id
        assert await refused(uploads.append(sized, 0, pieces(b"x" * 11))) == "UPLOAD_TOO_LARGE"
        assert await refused(uploads.append(sized, 5, pieces(b"x"))) == "UPLOAD_OFFSET_WRONG"
        assert await refused(uploads.append(sized, 0, pieces(b"%PDF-1.7"))) == "UNSUPPORTED_FORMAT"
        await uploads.append(sized, 0, pieces(b"123"))
        assert await refused(uploads.finish(sized)) == "UPLOAD_INCOMPLETE"
        await uploads.append(sized, 3, pieces(b"4567890"))
        assert await refused(uploads.finish(sized, sha256="0" * 64)) == "UPLOAD_INCOMPLETE"
        unsized = (await uploads.begin(RAW)).upload_id
        assert await refused(uploads.append(unsized, 0, pieces(b"x" * 1001))) == "UPLOAD_TOO_LARGE"
        assert await refused(uploads.begin(RAW)) == "UPLOADS_FULL"
        await uploads.finish(sized)
        await uploads.begin(RAW)


async def test_a_full_queue_refuses_before_and_after_and_the_upload_stays(
    empty_mesh: EmptyMesh,
) -> None:
    empty_mesh.gateway_options |= {"max_active_jobs": 1, "max_active_jobs_per_tenant": 1}
    async with empty_mesh.gateway() as address, Client(address) as client:
        begun = await client.uploads.begin(RAW)
        await client.uploads.append(begun.upload_id, 0, pieces(AUDIO))
        first = await client.upload(RAW, pieces(b"sound"))
        for asking in (client.uploads.begin(RAW), client.uploads.finish(begun.upload_id)):
            with pytest.raises(ClientError) as full:
                await asking
            assert (full.value.reason, full.value.retry_after is None) == ("QUEUE_FULL", False)
        await client.cancel_job(first.job_id)
        assert (await client.uploads.finish(begun.upload_id)).job_id == begun.upload_id


async def test_a_deleted_upload_leaves_nothing(
    gateway: Client, empty_mesh: EmptyMesh, broker: Broker
) -> None:
    begun = await gateway.uploads.begin(RAW)
    await gateway.uploads.append(begun.upload_id, 0, pieces(AUDIO))
    await gateway.uploads.delete(begun.upload_id)
    assert not stored_files(empty_mesh, "parts")
    assert not await stored_subjects(broker.client, "KV_maie_uploads")
    for call in (
        gateway.uploads.get(begun.upload_id),
        gateway.uploads.append(begun.upload_id, len(AUDIO), pieces(b"x")),
        gateway.uploads.finish(begun.upload_id),
        gateway.uploads.delete(begun.upload_id),
        gateway.uploads.get(ABSENT),
        gateway.uploads.get("../jobs"),
    ):
        with pytest.raises(ClientError) as gone:
            await call
        assert gone.value.reason == "UPLOAD_NOT_FOUND"
