"""A client of several gateways behind one address goes on when one of them is killed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from tests.gateway.conftest import EmptyMesh, empty_mesh
from tests.gateway.test_gateway_deaths import dying_gateway
from tests.waiting import PATIENCE_SECONDS

__all__ = ["empty_mesh"]

pytestmark = pytest.mark.mesh

AT_LEAST = 4


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


async def submit(client: Client, request_id: str) -> str:
    """Submits a job until a gateway accepts it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                made = await client.create_job(
                    recording(), features=("raw_transcript",), request_id=request_id
                )
            except ClientError as error:
                if error.code is not grpc.StatusCode.UNAVAILABLE:
                    raise
                await asyncio.sleep(0.05)
            else:
                return made.job_id


async def test_calls_are_spread_and_go_on_when_a_gateway_is_killed(empty_mesh: EmptyMesh) -> None:
    async with (
        empty_mesh.running() as steady,
        dying_gateway(empty_mesh, "submission.after_begin") as (dying, process),
        Client(f"ipv4:{steady.address},{dying.address}") as client,
    ):
        made: list[str] = []
        # The other one dies over the first submit that it gets.
        while process.returncode is None or len(made) < AT_LEAST:
            made.append(await submit(client, f"submit {len(made)}"))
        for job_id in made:
            events = [event async for event in client.watch_job(job_id)]
            assert events[-1].finished.job.state == job.JOB_STATE_COMPLETE
        listed = [shown.job_id async for shown in steady.list_jobs()]
        assert sorted(listed) == sorted(made)
