"""Parts of a mesh are replaced by those of another release while a job is in work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_client import Client
from maie_core.settings import ServiceSettings
from maie_pipeline.bindings import BINDINGS
from maie_runtime.blobs import Blobs
from maie_runtime.bus.broker import open_broker
from maie_runtime.worker.server import serve_stage
from maie_runtime.worker.stage import StageContext
from maie_summary.stage import SummarizeStage
from tests.empty_stages import empty_stages
from tests.gateway.conftest import EmptyMesh
from tests.summary.releases import open_release, stage_of
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


@asynccontextmanager
async def summary_worker(
    mesh: EmptyMesh, release: str, device: str = "cpu"
) -> AsyncIterator[list[str]]:
    """A summary worker of a release; gives the segments that it took notes on."""
    async with open_release(release, device) as engine:

        @asynccontextmanager
        async def opened(_: Blobs) -> AsyncIterator[SummarizeStage]:
            yield stage_of(engine)

        async with serve_stage(BINDINGS["summary"], ServiceSettings(mesh=mesh.mesh), opened):
            yield engine.mapped


async def summarise(
    mesh: EmptyMesh, first: tuple[str, str], second: tuple[str, str]
) -> tuple[job.Job, list[str]]:
    """A job of two chunks whose summary worker is replaced after the first; the second's notes."""
    mesh.stages = empty_stages(chunks=2)
    replaced = asyncio.Event()

    async def second_chunk_waits(context: StageContext) -> None:
        if context.unit == "asr.0001":
            await replaced.wait()

    mesh.stages["asr"].hook = second_chunk_waits
    async with AsyncExitStack() as stack:
        for slug in ("preprocess", "asr", "enhancement"):
            await stack.enter_async_context(mesh.service(slug))
        address = await stack.enter_async_context(mesh.gateway())
        client = await stack.enter_async_context(Client(address))
        async with summary_worker(mesh, *first) as mapped:
            created = await client.create_job(
                recording(), features=("summary",), template_id="meeting_notes_v1"
            )
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not mapped:
                    await asyncio.sleep(0.02)
        async with summary_worker(mesh, *second) as mapped:
            replaced.set()
            async for event in client.watch_job(created.job_id):
                done = event.finished.job
        return done, sorted(mapped)


def summary_engines(done: job.Job) -> list[common.EngineVersion]:
    """What the job says made its summary."""
    return [each.engine for each in done.versions.stages if each.stage == common.STAGE_SUMMARY]


async def test_a_summary_survives_an_upgrade_and_is_of_one_release(empty_mesh: EmptyMesh) -> None:
    done, mapped = await summarise(empty_mesh, ("one", "cpu"), ("two", "cpu"))
    assert done.state == job.JOB_STATE_COMPLETE
    assert mapped == ["c0000-s0000", "c0001-s0000"]
    engines = summary_engines(done)
    assert [engine.library for engine in engines] == ["two"]
    assert done.results.summary.engine == engines[0]


async def test_a_job_names_every_gpu_that_its_summary_is_from(empty_mesh: EmptyMesh) -> None:
    done, mapped = await summarise(empty_mesh, ("one", "cuda:0"), ("one", "cuda:1"))
    assert done.state == job.JOB_STATE_COMPLETE
    assert mapped == ["c0001-s0000"]
    assert [engine.device for engine in summary_engines(done)] == ["cuda:0", "cuda:1"]


async def test_a_gateway_goes_on_with_a_job_of_the_release_before(empty_mesh: EmptyMesh) -> None:
    empty_mesh.stages = empty_stages(chunks=2)
    # That release had no such units.
    empty_mesh.gateway_options["measure_quality"] = False
    upgraded = asyncio.Event()

    async def waits(_: StageContext) -> None:
        await upgraded.wait()

    empty_mesh.stages["asr"].hook = waits
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(empty_mesh.services())
        async with empty_mesh.gateway() as address, Client(address) as client:
            created = await client.create_job(
                recording(), features=("summary",), template_id="meeting_notes_v1"
            )
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not empty_mesh.stages["asr"].runs:
                    await asyncio.sleep(0.02)
        await _store_as_before(empty_mesh, created.job_id)
        upgraded.set()
        address = await stack.enter_async_context(empty_mesh.gateway())
        client = await stack.enter_async_context(Client(address))
        async for event in client.watch_job(created.job_id):
            done = event.finished.job
    assert done.state == job.JOB_STATE_COMPLETE
    assert done.results.summary.content["parts"] == 2
    assert [unit for unit, _ in empty_mesh.stages["summary"].runs][-1] == "summary.reduce"


async def _store_as_before(mesh: EmptyMesh, job_id: str) -> None:
    """Stores a job's record as the release before pipelines had it."""
    async with open_broker(mesh.nats.url, "the release before") as broker:
        entry = await broker.jobs.get(job_id)
        stored = record.JobRecord.FromString(entry.value or b"")
        assert [unit.unit for unit in stored.units if unit.HasField("needs")]
        stored.ClearField("pipeline")
        for unit in stored.units:
            unit.ClearField("needs")
        await broker.jobs.update(job_id, stored.SerializeToString(), last=entry.revision)
