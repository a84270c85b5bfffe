"""ListJobs and SearchJobs over gRPC, from a job that went through a whole mesh."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from tests.empty_stages import empty_stages
from tests.gateway.conftest import EmptyMesh

pytestmark = pytest.mark.mesh

SECONDS = 10
COMPLETE = (job.JOB_STATE_COMPLETE,)
FEATURES = ("clean_transcript", "summary")


async def recording() -> AsyncIterator[bytes]:
    yield b"not empty"


async def done(client: Client) -> str:
    """Processes a recording to its end and gives its job's id."""
    options = {"features": FEATURES, "template_id": "meeting_notes_v1"}
    events = [told async for told in client.process(recording(), **options)]
    return str(events[-1].finished.job.job_id)


async def test_a_finished_job_is_soon_listed_and_found_by_its_text(
    empty_mesh: EmptyMesh, database_url: str, model: object
) -> None:
    empty_mesh.stages = empty_stages(chunks=3)
    empty_mesh.gateway_options = {"read_model": {"url": database_url}}
    async with empty_mesh.running() as client:
        job_id = await done(client)
        async with asyncio.timeout(SECONDS):
            while not (listed := [one async for one in client.list_jobs(states=COMPLETE)]):
                await asyncio.sleep(0.02)
        assert [shown.job_id for shown in listed] == [job_id]
        async with asyncio.timeout(SECONDS):
            while not (hits := [hit async for hit in client.search_jobs("chunk")]):
                await asyncio.sleep(0.02)
        (hit,) = hits
        assert hit.job.job_id == job_id
        assert "Chunk 0." in {moment.snippet for moment in hit.moments}
        with pytest.raises(ClientError, match="at least one word"):
            await anext(client.search_jobs("?"))
