"""A gateway that is killed between two steps strands nothing that another cannot finish."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError, JobOptions
from maie_client.health import health_of
from maie_gateway.settings import RetentionSettings
from maie_runtime.blobs import Blobs
from maie_runtime.bus.provision import open_provisioned_broker
from tests.conftest import free_port
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_removal import none_left
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

RAW = ("raw_transcript",)
START_SECONDS = 120
SECOND_OF_HOUR = 1 / 3_600


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


@asynccontextmanager
async def dying_gateway(
    mesh: EmptyMesh, fault: str, port: int = 0, **variables: str
) -> AsyncIterator[tuple[Client, asyncio.subprocess.Process]]:
    """A gateway in a process of its own that kills itself at a point; a client of it."""
    address = f"127.0.0.1:{port or free_port()}"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "maie_gateway"),
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("MAIE_")},
            "MAIE_FAULT": f"{fault}:kill",
            "MAIE_NATS_URL": mesh.mesh.nats_url,
            "MAIE_BLOB_URL": mesh.mesh.blob_url,
            "MAIE_GATEWAY_LISTEN": address,
            "MAIE_RETENTION_REMOVALS_SECONDS": "1",
            **variables,
        },
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with Client(address) as client:
            async with asyncio.timeout(START_SECONDS):
                while not await health_of(address):
                    await asyncio.sleep(0.05)
            yield client, process
            assert await process.wait() == -9
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize(
    "fault", ["submission.after_bind", "submission.after_upload", "submission.after_begin"]
)
async def test_a_submit_that_is_sent_again_becomes_one_job(
    empty_mesh: EmptyMesh, fault: str
) -> None:
    empty_mesh.gateway_options["retention"] = RetentionSettings(
        uploads_hours=3.0 * SECOND_OF_HOUR, sweep_seconds=0.2
    )
    options: JobOptions = {"features": RAW, "request_id": "monday"}
    async with dying_gateway(empty_mesh, fault) as (client, _):
        with pytest.raises(ClientError) as broken:
            await client.create_job(recording(), **options)
        assert broken.value.code is grpc.StatusCode.UNAVAILABLE
    async with empty_mesh.running() as client:
        made = await client.create_job(recording(), **options)
        assert (await client.create_job(recording(), **options)).job_id == made.job_id
        events = [told async for told in client.watch_job(made.job_id)]
        assert events[-1].finished.job.state == job.JOB_STATE_COMPLETE
        assert [shown.job_id async for shown in client.list_jobs()] == [made.job_id]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await _uploads(empty_mesh) != 1:  # the dead gateway's is swept away
                await asyncio.sleep(0.1)


async def _uploads(mesh: EmptyMesh) -> int:
    return len([stored async for stored in Blobs(mesh.mesh.blob_url).stored("uploads")])


@pytest.mark.parametrize("fault", ["removal.after_traces", "removal.after_record"])
async def test_a_removal_is_finished_by_another_gateway(empty_mesh: EmptyMesh, fault: str) -> None:
    empty_mesh.gateway_options["retention"] = RetentionSettings(
        removals_seconds=1, sweep_seconds=0.2
    )
    async with dying_gateway(empty_mesh, fault) as (client, _):
        made = await client.create_job(recording(), features=RAW, request_id="monday")
        with pytest.raises(ClientError) as broken:
            await client.delete_job(made.job_id)
        assert broken.value.code is grpc.StatusCode.UNAVAILABLE
    async with empty_mesh.gateway() as address, Client(address) as client:
        try:
            await client.delete_job(made.job_id)
        except ClientError as error:
            # The record was gone already.
            if error.reason != "JOB_NOT_FOUND" or fault != "removal.after_record":
                raise
        assert [shown async for shown in client.list_jobs()] == []
        async with open_provisioned_broker(empty_mesh.nats.url, "test") as broker:
            assert await none_left(empty_mesh, broker, made.job_id)
