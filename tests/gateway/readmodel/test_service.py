"""ListJobs and SearchJobs over gRPC, from a job that went through a whole mesh."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError, JobOptions
from tests.empty_stages import empty_stages
from tests.gateway.conftest import EmptyMesh
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

JOBS = 12
COMPLETE = (job.JOB_STATE_COMPLETE,)
FEATURES = ("clean_transcript", "summary")


async def recording() -> AsyncIterator[bytes]:
    yield b"not empty"


async def done(client: Client) -> str:
    """Processes a recording to its end and gives its job's id."""
    options: JobOptions = {"features": FEATURES, "template_id": "meeting_notes_v1"}
    events = [told async for told in client.process(recording(), **options)]
    return str(events[-1].finished.job.job_id)


async def listed(client: Client, **wanted: Any) -> dict[str, job.Job]:
    """What the gateway lists right now, by id."""
    return {one.job_id: one async for one in client.list_jobs(**wanted)}


async def test_a_finished_job_is_listed_and_soon_found_by_its_text(
    empty_mesh: EmptyMesh, database_url: str, model: object
) -> None:
    empty_mesh.stages = empty_stages(chunks=3)
    empty_mesh.gateway_options = {"read_model": {"url": database_url}}
    async with empty_mesh.running() as client:
        job_id = await done(client)
        assert list(await listed(client, states=COMPLETE)) == [job_id]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (hits := [hit async for hit in client.search_jobs("chunk")]):
                await asyncio.sleep(0.02)
        (hit,) = hits
        assert hit.job.job_id == job_id
        assert "Chunk 0." in {moment.snippet for moment in hit.moments}
        with pytest.raises(ClientError, match="at least one word"):
            await anext(client.search_jobs("?"))


async def test_lists_show_at_once_what_the_gateway_has_told(
    empty_mesh: EmptyMesh, database_url: str, model: object
) -> None:
    """With other jobs about, so that there is always something else to be written first."""
    empty_mesh.stages = empty_stages(chunks=3)
    empty_mesh.gateway_options = {"read_model": {"url": database_url}}

    async def steer(client: Client, number: int) -> None:
        name = f"number {number}"
        made = await client.create_job(
            recording(), template_id="meeting_notes_v1", display_name=name, labels={"kind": "a"}
        )
        assert (await listed(client))[made.job_id].display_name == name
        await client.update_job(made.job_id, labels={"kind": "b"})
        assert made.job_id in await listed(client, labels={"kind": "b"})
        ended = await client.cancel_job(made.job_id)
        assert made.job_id in await listed(client, states=(ended.state,))
        await client.delete_job(made.job_id)
        assert made.job_id not in await listed(client)
        job_id = await done(client)
        assert job_id in await listed(client, states=COMPLETE)

    async with empty_mesh.running() as client, asyncio.TaskGroup() as steering:
        for number in range(JOBS):
            steering.create_task(steer(client, number))


async def test_a_gateway_lists_what_it_told_of_a_job_that_another_conducted(
    empty_mesh: EmptyMesh, database_url: str, model: object
) -> None:
    empty_mesh.gateway_options = {"read_model": {"url": database_url}}
    async with (
        empty_mesh.running() as client,
        empty_mesh.gateway() as address,
        Client(address) as other,
    ):
        for _ in range(JOBS):
            made = await client.create_job(recording(), template_id="meeting_notes_v1")
            events = [told async for told in other.watch_job(made.job_id)]
            assert events[-1].HasField("finished")
            assert made.job_id in await listed(other, states=COMPLETE)
