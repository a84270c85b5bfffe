"""Everything that is stored has an end, and what crashes leave behind has too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_client import Client, ClientError
from maie_gateway.intake.requests import Requests
from maie_gateway.records.names import Names, names_of
from maie_gateway.records.store import REMOVED
from maie_gateway.settings import RetentionSettings
from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.provision import provision
from tests.gateway.conftest import EmptyMesh
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

RAW = ("raw_transcript",)
ABSENT = "01900000-0000-7000-8000-000000000000"
SECOND_OF_DAY = 1 / 86_400
SECOND_OF_HOUR = 1 / 3_600
# Longer than any test.
FOR_EVER = 1000.0


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


def keep(mesh: EmptyMesh, **options: float) -> None:
    """Sets these retentions for gateways, and keeps everything else without limit."""
    everything: dict[str, Any] = {
        "jobs_days": FOR_EVER,
        "events_days": FOR_EVER,
        "dead_letters_days": FOR_EVER,
        "request_ids_days": FOR_EVER,
        "uploads_hours": FOR_EVER,
        "removals_seconds": 1,
        "sweep_seconds": 0.2,
    }
    mesh.gateway_options["retention"] = RetentionSettings(**(everything | options))


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits until something is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():
            await asyncio.sleep(0.1)


async def process(client: Client) -> str:
    """Runs a job to its end; gives its id."""
    events = [told async for told in client.process(recording(), features=RAW)]
    return events[0].accepted.job_id


async def test_a_finished_job_is_removed_after_its_lifetime(empty_mesh: EmptyMesh) -> None:
    keep(empty_mesh, jobs_days=2 * SECOND_OF_DAY)
    blobs = Blobs(empty_mesh.mesh.blob_url)
    async with empty_mesh.running() as client:
        job_id = await process(client)
        assert (await client.get_job(job_id)).state == job.JOB_STATE_COMPLETE

        async def gone() -> bool:
            return not [shown async for shown in client.list_jobs()]

        await until(gone)
        with pytest.raises(ClientError, match="There is no job"):
            await client.get_job(job_id)
        await until(lambda: _is_empty(blobs, "jobs"))


async def _is_empty(blobs: Blobs, prefix: str) -> bool:
    return not [stored async for stored in blobs.stored(prefix)]


async def test_a_removal_whose_gateway_died_at_its_end_is_ended(
    empty_mesh: EmptyMesh, broker: Broker
) -> None:
    # The first of its two last writes.
    await broker.jetstream.publish(
        subjects.bucket_subject(subjects.JOBS, ABSENT), headers=dict(REMOVED)
    )
    keep(empty_mesh, jobs_days=SECOND_OF_DAY)
    jobs = subjects.bucket_stream(subjects.JOBS)
    async with empty_mesh.gateway():

        async def nothing_left() -> bool:
            return not (await broker.jetstream.stream_info(jobs)).state.messages

        await until(nothing_left)


async def test_an_unfinished_job_is_kept_however_old(empty_mesh: EmptyMesh) -> None:
    keep(empty_mesh, jobs_days=0.1 * SECOND_OF_DAY, uploads_hours=0.1 * SECOND_OF_HOUR)
    async with empty_mesh.gateway() as one, empty_mesh.gateway(), Client(one) as client:
        made = await client.create_job(recording(), features=RAW, request_id="monday")
        await asyncio.sleep(1.0)
        assert (await client.get_job(made.job_id)).state == job.JOB_STATE_PENDING
        assert await Blobs(empty_mesh.mesh.blob_url).children("uploads") == [made.job_id]


async def test_events_and_request_ids_are_forgotten_by_the_broker(
    empty_mesh: EmptyMesh, broker: Broker
) -> None:
    keep(empty_mesh, events_days=SECOND_OF_DAY, request_ids_days=SECOND_OF_DAY)
    async with empty_mesh.running() as client:
        await client.create_job(recording(), features=RAW, request_id="monday")
        await process(client)

        async def nothing_left() -> bool:
            for stream in (subjects.EVENTS, subjects.bucket_stream(subjects.REQUESTS)):
                if (await broker.jetstream.stream_info(stream)).state.messages:
                    return False
            return True

        await until(nothing_left)
        # `maie provision`, which knows no lifetimes, does not bring the defaults back.
        await provision(broker)
        kept = (await broker.jetstream.stream_info(subjects.EVENTS)).config
        assert kept.max_age == pytest.approx(1.0)


async def test_lifetimes_follow_the_settings_of_the_gateway_that_started_last(
    empty_mesh: EmptyMesh, broker: Broker
) -> None:
    for days in (1.0, 3.0):
        keep(empty_mesh, events_days=days, dead_letters_days=days, request_ids_days=days)
        async with empty_mesh.gateway():
            for stream in (
                subjects.EVENTS,
                subjects.DEAD_LETTERS,
                subjects.bucket_stream(subjects.REQUESTS),
            ):
                info = await broker.jetstream.stream_info(stream)
                assert info.config.max_age == days * 86_400


async def test_uploads_that_became_no_job_are_removed(
    empty_mesh: EmptyMesh, broker: Broker
) -> None:
    blobs = Blobs(empty_mesh.mesh.blob_url)
    await Requests(broker).bind("default", "monday", ABSENT)
    await blobs.put(f"uploads/{ABSENT}/one", b"its gateway died")
    await blobs.put(f"jobs/{ABSENT}/recording", b"its gateway died")
    keep(empty_mesh, uploads_hours=3.0 * SECOND_OF_HOUR)
    async with empty_mesh.gateway():
        await until(lambda: _is_empty(blobs, "uploads"))
        await until(lambda: _is_empty(blobs, "jobs"))


async def test_what_direct_calls_stored_is_removed_once_it_is_old(empty_mesh: EmptyMesh) -> None:
    blobs = Blobs(empty_mesh.mesh.blob_url)
    await blobs.put("direct/one/chunk", b"its caller is done")
    keep(empty_mesh, uploads_hours=2.0 * SECOND_OF_HOUR)
    async with empty_mesh.gateway():
        assert await blobs.children("direct") == ["one"]
        await until(lambda: _is_empty(blobs, "direct"))


async def test_names_that_became_no_job_are_erased_and_those_of_jobs_are_kept(
    empty_mesh: EmptyMesh, broker: Broker
) -> None:
    left_behind = record.JobRecord(job_id=ABSENT, display_name="its gateway died")
    await Names(broker).store(ABSENT, names_of(left_behind))
    keep(empty_mesh, uploads_hours=0.5 * SECOND_OF_HOUR)

    async def named() -> set[str]:
        info = await broker.jetstream.stream_info(subjects.NAMES, subjects_filter=">")
        return set(info.state.subjects or {})

    async with empty_mesh.gateway() as address, Client(address) as client:
        made = await client.create_job(recording(), features=RAW, display_name="ours")

        async def one_left() -> bool:
            return await named() == {subjects.names(made.job_id)}

        await until(one_left)
        await asyncio.sleep(1.0)
        assert await one_left()


async def test_objects_beside_another_brokers_jobs_are_let_be(empty_mesh: EmptyMesh) -> None:
    blobs = Blobs(empty_mesh.mesh.blob_url)
    await blobs.put("mesh/another", b"")
    await blobs.put(f"jobs/{ABSENT}/recording", b"somebody's")
    keep(empty_mesh, uploads_hours=0.1 * SECOND_OF_HOUR)
    async with empty_mesh.gateway():
        await asyncio.sleep(1.0)
    assert not await _is_empty(blobs, "jobs")


async def test_a_double_upload_is_removed_and_the_jobs_own_is_kept(
    empty_mesh: EmptyMesh,
) -> None:
    blobs = Blobs(empty_mesh.mesh.blob_url)
    keep(empty_mesh, uploads_hours=3.0 * SECOND_OF_HOUR)
    async with empty_mesh.gateway() as address, Client(address) as client:
        made = await client.create_job(recording(), features=RAW, request_id="monday")
        prefix = f"uploads/{made.job_id}"
        (own,) = [stored.key async for stored in blobs.stored(prefix)]
        await blobs.put(f"{prefix}/double", b"its gateway died before it was dropped")

        async def one_left() -> bool:
            return [stored.key async for stored in blobs.stored(prefix)] == [own]

        await until(one_left)
        await asyncio.sleep(0.5)
        assert await one_left()


async def test_files_that_killed_writers_left_are_removed(
    empty_mesh: EmptyMesh, tmp_path: Path
) -> None:
    partial = tmp_path / "blobs" / "jobs" / ABSENT / "recording#1"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"half of it")
    keep(empty_mesh, uploads_hours=3.0 * SECOND_OF_HOUR)

    async def gone() -> bool:
        return not partial.exists()

    async with empty_mesh.gateway():
        await until(gone)


async def test_messages_of_jobs_that_are_gone_are_removed(
    empty_mesh: EmptyMesh, broker: Broker
) -> None:
    keep(empty_mesh)
    for stage in ("asr", "summary"):
        await broker.jetstream.publish(subjects.event(stage, ABSENT), b"")
        await broker.jetstream.publish(subjects.dead_letter(stage, ABSENT), b"")
    await broker.jetstream.publish(subjects.returned("asr", ABSENT, 1, "1"), b"")
    async with empty_mesh.running() as client:
        job_id = await process(client)

        async def gone() -> bool:
            info = await broker.jetstream.stream_info(subjects.EVENTS, subjects_filter=">")
            told = set(info.state.subjects or ())
            assert any(job_id in subject for subject in told)
            return not any(ABSENT in subject for subject in told)

        async def empty() -> bool:
            return not any(
                [
                    (await broker.jetstream.stream_info(stream)).state.messages
                    for stream in (subjects.DEAD_LETTERS, subjects.RETURNS)
                ]
            )

        await until(gone)
        # Events that cannot be read become dead letters first, and a later round removes these.
        await until(empty)
