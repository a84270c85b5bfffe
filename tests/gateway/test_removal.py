"""After DeleteJob nothing of a job is left, in any stream, bucket or blob."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError, JobOptions
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.care import removal
from maie_gateway.settings import RetentionSettings
from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.worker.stage import StageContext
from tests.gateway.conftest import EmptyMesh
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

RAW = ("raw_transcript",)
EVERYTHING = ("raw_transcript", "clean_transcript", "summary")
TEMPLATE = "meeting_notes_v1"


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


async def traces(mesh: EmptyMesh, broker: Broker, job_id: str) -> list[str]:
    """Every message whose subject or content, and every object whose key, names the job.

    The audit log outlives jobs, and holds no content of them.
    """
    found = []
    for info in await broker.jetstream.streams_info():
        name = info.config.name or ""
        if name == subjects.AUDIT:
            continue
        for sequence in range(info.state.first_seq, info.state.last_seq + 1):
            try:
                stored = await broker.jetstream.get_msg(name, sequence)
            except Exception:  # noqa: BLE001 - removed in between
                continue
            content = (stored.data or b"") + (stored.subject or "").encode()
            if job_id.encode() in content:
                found.append(f"{name} {stored.subject}")
    found += [
        stored.key async for stored in Blobs(mesh.mesh.blob_url).stored("") if job_id in stored.key
    ]
    return found


async def none_left(mesh: EmptyMesh, broker: Broker, job_id: str) -> bool:
    """Whether all traces go within a moment; the removed record's id is kept for a second."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await traces(mesh, broker, job_id):
            await asyncio.sleep(0.2)
    return True


@pytest.fixture
async def broker(empty_mesh: EmptyMesh) -> AsyncIterator[Broker]:
    """The broker as a bystander sees it; gateways forget removed ids in a second."""
    empty_mesh.gateway_options["retention"] = RetentionSettings(removals_seconds=1)
    async with open_provisioned_broker(empty_mesh.nats.url, "test") as bystander:
        yield bystander


async def test_nothing_is_left_of_a_finished_job(empty_mesh: EmptyMesh, broker: Broker) -> None:
    async with empty_mesh.running() as client:
        options: JobOptions = {
            "features": EVERYTHING,
            "template_id": TEMPLATE,
            "request_id": "monday",
        }
        events = [told async for told in client.process(recording(), **options)]
        job_id = events[0].accepted.job_id
        found = await traces(empty_mesh, broker, job_id)
        assert {place.split(" ")[0] for place in found} >= {
            "MAIE_EVENTS",
            "KV_maie_jobs",
            "KV_maie_requests",
        }
        await client.delete_job(job_id)
        left = await traces(empty_mesh, broker, job_id)
        assert left in ([], [f"KV_maie_jobs {subjects.bucket_subject(subjects.JOBS, job_id)}"])
        with pytest.raises(ClientError) as refused:
            await client.get_job(job_id)
        assert refused.value.reason == "JOB_NOT_FOUND"
        assert [shown async for shown in client.list_jobs()] == []
        assert await none_left(empty_mesh, broker, job_id)
        again = await client.create_job(recording(), **options)
        assert again.job_id != job_id


async def test_a_job_in_work_is_stopped_and_does_not_come_back(
    empty_mesh: EmptyMesh, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "LATE_SECONDS", 3.0)
    empty_mesh.gateway_options["retention"] = RetentionSettings(
        removals_seconds=1, sweep_seconds=0.2
    )
    stopped_late = asyncio.Event()

    async def takes_its_time(context: StageContext) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.5)
            await context.blobs.put(f"jobs/{context.job_id}/late", b"late")
            stopped_late.set()

    empty_mesh.stages["asr"].hook = takes_its_time
    async with empty_mesh.running() as client:
        made = await client.create_job(recording(), features=RAW)
        while not empty_mesh.stages["asr"].runs:
            await asyncio.sleep(0.01)
        await client.delete_job(made.job_id)
        await stopped_late.wait()
        for _ in range(5):
            with pytest.raises(ClientError, match=made.job_id):
                await client.get_job(made.job_id)
            await asyncio.sleep(0.1)
        assert (await client.get_mesh()).active_jobs == 0
        assert await none_left(empty_mesh, broker, made.job_id)


async def test_nothing_is_left_of_a_job_whose_unit_was_given_back(
    empty_mesh: EmptyMesh, broker: Broker
) -> None:
    asr = empty_mesh.stages["asr"]

    async def fails_once(_: StageContext) -> None:
        if len(asr.runs) == 1:
            raise StageError(Code.UNAVAILABLE, Reason.BLOB_STORE_UNAVAILABLE, "Away.")

    asr.hook = fails_once
    async with empty_mesh.running() as client:
        # The next attempt comes too early and goes back until it is due.
        events = [told async for told in client.process(recording(), features=RAW)]
        job_id = events[0].accepted.job_id
        found = await traces(empty_mesh, broker, job_id)
        assert "MAIE_RETURNS" in {place.split(" ")[0] for place in found}
        await client.delete_job(job_id)
        assert await none_left(empty_mesh, broker, job_id)


async def test_nothing_is_left_of_a_job_with_dead_letters(
    empty_mesh: EmptyMesh, broker: Broker
) -> None:
    async def refuses(_: StageContext) -> None:
        raise StageError(Code.INVALID_ARGUMENT, Reason.AUDIO_CORRUPT, "It is damaged.")

    empty_mesh.stages["preprocess"].hook = refuses
    async with empty_mesh.running() as client:
        events = [told async for told in client.process(recording(), features=RAW)]
        job_id = events[0].accepted.job_id
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not [letter async for letter in client.list_dead_letters()]:
                await asyncio.sleep(0.05)
        await client.delete_job(job_id)
        assert [letter async for letter in client.list_dead_letters()] == []
        assert await none_left(empty_mesh, broker, job_id)


async def test_a_removal_that_was_cut_short_is_finished_by_the_next(
    empty_mesh: EmptyMesh, broker: Broker
) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        made = await client.create_job(recording(), features=RAW, request_id="monday")
        blobs = Blobs(empty_mesh.mesh.blob_url)
        # Its gateway died before the record was gone.
        await client.cancel_job(made.job_id)
        await blobs.delete_prefix(f"uploads/{made.job_id}")
        assert (await client.get_job(made.job_id)).state == job.JOB_STATE_CANCELLED
        await asyncio.gather(
            *(client.delete_job(made.job_id) for _ in range(3)), return_exceptions=True
        )
        with pytest.raises(ClientError, match=made.job_id):
            await client.delete_job(made.job_id)
        assert await none_left(empty_mesh, broker, made.job_id)


async def test_who_looks_while_a_job_is_removed_sees_it_whole_or_not_at_all(
    empty_mesh: EmptyMesh, broker: Broker
) -> None:
    async def look(client: Client, job_id: str) -> str:
        try:
            while True:
                assert (await client.get_job(job_id)).results.HasField("summary")
        except ClientError as error:
            return error.reason

    async with empty_mesh.running() as client:
        options: JobOptions = {"features": EVERYTHING, "template_id": TEMPLATE}
        for _ in range(5):
            events = [told async for told in client.process(recording(), **options)]
            job_id = events[0].accepted.job_id
            looks = [asyncio.create_task(look(client, job_id)) for _ in range(4)]
            await asyncio.sleep(0.02)
            await client.delete_job(job_id)
            assert await asyncio.gather(*looks) == ["JOB_NOT_FOUND"] * 4


async def test_all_gateways_hear_of_a_removal(empty_mesh: EmptyMesh, broker: Broker) -> None:
    async with AsyncExitStack() as stack:
        addresses = [await stack.enter_async_context(empty_mesh.gateway()) for _ in range(2)]
        one, two = [await stack.enter_async_context(Client(at)) for at in addresses]
        made = await one.create_job(recording(), features=RAW)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await two.get_mesh()).active_jobs != 1:
                await asyncio.sleep(0.02)
            await one.delete_job(made.job_id)
            while (await two.get_mesh()).active_jobs:
                await asyncio.sleep(0.02)


async def test_a_watcher_of_a_removed_job_is_told(empty_mesh: EmptyMesh, broker: Broker) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        made = await client.create_job(recording(), features=RAW)

        async def watch() -> list[job.JobEvent]:
            return [told async for told in client.watch_job(made.job_id)]

        watching = asyncio.create_task(watch())
        await asyncio.sleep(0.2)
        await client.delete_job(made.job_id)
        # It saw the job's end, or that there is no job any more.
        await asyncio.wait([watching])
        if error := watching.exception():
            assert isinstance(error, ClientError)
            assert error.reason == "JOB_NOT_FOUND"
        else:
            assert watching.result()[-1].finished.job.state == job.JOB_STATE_CANCELLED
