"""Recordings have a report of their sound where the mesh can make one, and never wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.engine.optional_units import LOOK_SECONDS, NOT_BEGUN_SECONDS
from maie_runtime.bus.broker import open_broker
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import Gate
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_jobs import process, recording
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

TEXT = ("raw_transcript",)
BUSY = (
    "The sound was not measured. All workers of quality were busy with other jobs when the rest of "
    "this one was done."
)


async def finished(client: Client, *features: str) -> job.Job:
    return (await process(client, features=features or TEXT))[-1].finished.job


def reasons(of: job.Job) -> list[str]:
    return [warning.reason for warning in of.results.warnings]


@asynccontextmanager
async def mesh_without_quality(mesh: EmptyMesh) -> AsyncIterator[Client]:
    async with AsyncExitStack() as stack:
        for slug in ("preprocess", "asr"):
            await stack.enter_async_context(mesh.service(slug))
        address = await stack.enter_async_context(mesh.gateway())
        yield await stack.enter_async_context(Client(address))


async def test_a_job_that_did_not_ask_has_the_report(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client:
        done = await finished(client)
        assert done.state == job.JOB_STATE_COMPLETE
        assert done.results.HasField("quality_report")
        assert reasons(done) == []
        # What was asked for stays as it was said.
        assert list(done.config.features) == [job.FEATURE_RAW_TRANSCRIPT]
        stages = [each.stage for each in done.progress]
        assert stages == [common.STAGE_PREPROCESS, common.STAGE_ASR, common.STAGE_QUALITY]
        assert all(each.fraction == 1.0 for each in done.progress)


async def test_the_same_request_id_is_the_same_job_though_the_worker_has_gone(
    empty_mesh: EmptyMesh,
) -> None:
    async with mesh_without_quality(empty_mesh) as client:
        async with empty_mesh.service("quality"):
            await _until_served(client)
            first = await process(client, features=TEXT, request_id="one")
        again = await process(client, features=TEXT, request_id="one")
        assert again[-1].finished.job == first[-1].finished.job
        assert first[-1].finished.job.results.HasField("quality_report")


async def test_without_a_worker_a_job_has_no_report_and_misses_none(empty_mesh: EmptyMesh) -> None:
    async with mesh_without_quality(empty_mesh) as client:
        done = await finished(client)
        assert done.state == job.JOB_STATE_COMPLETE
        assert not done.results.HasField("quality_report")
        assert reasons(done) == []


async def test_a_setting_turns_it_off(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options["measure_quality"] = False
    async with empty_mesh.running() as client:
        assert not (await finished(client)).results.HasField("quality_report")
        asked = await finished(client, *TEXT, "quality")
        assert asked.results.HasField("quality_report")


async def test_who_waits_for_a_job_waits_for_nothing_else(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client:
        awaited = (await process(client, features=TEXT, interactive=True))[-1].finished.job
        assert not awaited.results.HasField("quality_report")
        assert reasons(awaited) == []
        both = (*TEXT, "quality")
        asked = (await process(client, features=both, interactive=True))[-1].finished.job
        assert asked.results.HasField("quality_report")


async def test_a_job_is_complete_where_measuring_fails(empty_mesh: EmptyMesh) -> None:
    async def refuses(_: StageContext) -> None:
        raise StageError(Code.INVALID_ARGUMENT, Reason.AUDIO_CORRUPT, "It cannot be measured.")

    empty_mesh.stages["quality"].hook = refuses
    async with empty_mesh.running() as client:
        done = await finished(client)
        assert done.state == job.JOB_STATE_COMPLETE
        assert reasons(done) == ["QUALITY_MISSING"]
        assert done.results.warnings[0].message.endswith("It cannot be measured.")
        assert not done.failures
        assert done.results.raw_transcript
        assert not [each async for each in client.list_dead_letters()]
        asked = await finished(client, *TEXT, "quality")
        assert asked.state == job.JOB_STATE_FAILED


async def test_a_job_ends_without_a_report_that_does_not_come(empty_mesh: EmptyMesh) -> None:
    gate = Gate()
    empty_mesh.stages["quality"].hook = gate
    empty_mesh.gateway_options["optional_grace_seconds"] = 0.2
    async with empty_mesh.running() as client:
        done = await finished(client)
        assert gate.reached.is_set()
        assert done.state == job.JOB_STATE_COMPLETE
        assert reasons(done) == ["QUALITY_MISSING"]
        # The worker hears that nobody waits any more, and is free for the next recording.
        await until(lambda: empty_mesh.stages["quality"].stopped)
        gate.opened.set()
        assert (await finished(client)).results.HasField("quality_report")


async def test_a_job_that_asked_waits_for_its_report_as_long_as_it_takes(
    empty_mesh: EmptyMesh,
) -> None:
    gate = Gate()
    empty_mesh.stages["quality"].hook = gate
    empty_mesh.gateway_options["optional_grace_seconds"] = 0.1
    async with empty_mesh.running() as client:
        asked = await client.create_job(recording(), features=(*TEXT, "quality"))
        # It came later, and its scan would have ended the other, too.
        assert reasons(await finished(client)) == ["QUALITY_MISSING"]
        assert (await client.get_job(asked.job_id)).state == job.JOB_STATE_PROCESSING_ASR
        gate.opened.set()
        done = await _end(client, asked.job_id)
        assert done.state == job.JOB_STATE_COMPLETE
        assert done.results.HasField("quality_report")


async def test_the_text_is_there_and_takes_nobody_s_place_while_the_report_is_awaited(
    empty_mesh: EmptyMesh,
) -> None:
    gate = Gate()
    empty_mesh.stages["quality"].hook = gate
    empty_mesh.gateway_options |= {
        "optional_grace_seconds": 600,
        "max_running_jobs_per_tenant": 1,
        "max_active_jobs": 1,
    }
    # Each has a worker's attention: none is given up because others have it.
    empty_mesh.service_options["slots"] = 16
    async with empty_mesh.running() as client:
        waiting = []
        for _ in range(3):
            created = await client.create_job(recording(), features=TEXT)
            waiting.append(created.job_id)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (seen := await client.get_job(created.job_id)).results.raw_transcript:
                    await asyncio.sleep(0.01)
            assert seen.state == job.JOB_STATE_PROCESSING_ASR
        gate.opened.set()
        ends = [await _end(client, job_id) for job_id in waiting]
        assert all(each.results.HasField("quality_report") for each in ends)


async def test_a_job_whose_turn_does_not_come_does_not_wait_for_it(
    empty_mesh: EmptyMesh,
) -> None:
    gate = Gate()
    empty_mesh.stages["quality"].hook = gate
    empty_mesh.gateway_options["optional_grace_seconds"] = 600
    async with empty_mesh.running() as client:
        # The only worker is busy with a job that asked, and stays so.
        asked = await client.create_job(recording(), features=(*TEXT, "quality"))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await gate.reached.wait()
        done = await finished(client)
        assert done.state == job.JOB_STATE_COMPLETE
        assert [(each.reason, each.message) for each in done.results.warnings] == [
            ("QUALITY_MISSING", BUSY)
        ]
        gate.opened.set()
        assert (await _end(client, asked.job_id)).results.HasField("quality_report")
        # The task that was withdrawn is in nobody's way.
        assert (await finished(client)).results.HasField("quality_report")


async def test_a_job_whose_turn_has_come_is_waited_for(empty_mesh: EmptyMesh) -> None:
    gate = Gate()
    empty_mesh.stages["quality"].hook = gate
    empty_mesh.gateway_options["optional_grace_seconds"] = 600
    async with empty_mesh.running() as client:
        created = await client.create_job(recording(), features=TEXT)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await gate.reached.wait()
        # Much later than a job whose turn does not come.
        await asyncio.sleep(NOT_BEGUN_SECONDS + 3 * LOOK_SECONDS)
        assert (await client.get_job(created.job_id)).state == job.JOB_STATE_PROCESSING_ASR
        gate.opened.set()
        assert (await _end(client, created.job_id)).results.HasField("quality_report")


async def test_a_worker_that_leaves_is_waited_for_no_longer_than_one_that_is_slow(
    empty_mesh: EmptyMesh,
) -> None:
    gate = Gate()
    empty_mesh.stages["quality"].hook = gate
    empty_mesh.gateway_options["optional_grace_seconds"] = 0.5
    async with mesh_without_quality(empty_mesh) as client:
        async with empty_mesh.service("quality"):
            await _until_served(client)
            # It must not be done before the worker has left.
            speaking = empty_mesh.stages["asr"].hook = Gate()
            created = await client.create_job(recording(), features=TEXT)
            async with asyncio.timeout(PATIENCE_SECONDS):
                await asyncio.gather(gate.reached.wait(), speaking.reached.wait())
        await _until_served(client, by=0)
        speaking.opened.set()
        done = await _end(client, created.job_id)
        assert done.state == job.JOB_STATE_COMPLETE
        assert [(each.reason, each.message) for each in done.results.warnings] == [
            (
                "QUALITY_MISSING",
                "The sound was not measured. No worker of quality runs any more.",
            )
        ]


async def test_nothing_is_added_while_a_gateway_of_the_release_before_runs(
    empty_mesh: EmptyMesh,
) -> None:
    async with empty_mesh.running() as client, open_broker(empty_mesh.nats.url, "test") as broker:
        before = event.WorkerInfo(instance="before", address="127.0.0.1:1", version="0")
        await broker.workers.put("gateway.before", before.SerializeToString())
        await _until_gateways(client, 2)
        assert not (await finished(client)).results.HasField("quality_report")
        assert (await finished(client, *TEXT, "quality")).results.HasField("quality_report")
        await broker.workers.delete("gateway.before")
        await _until_gateways(client, 1)
        assert (await finished(client)).results.HasField("quality_report")


async def test_a_job_is_cancelled_retried_and_deleted_while_its_report_is_awaited(
    empty_mesh: EmptyMesh,
) -> None:
    gate = Gate()
    empty_mesh.stages["quality"].hook = gate
    empty_mesh.gateway_options["optional_grace_seconds"] = 600
    async with empty_mesh.running() as client:
        created = await client.create_job(recording(), features=TEXT)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await gate.reached.wait()
        assert (await client.cancel_job(created.job_id)).state == job.JOB_STATE_CANCELLED
        await until(lambda: empty_mesh.stages["quality"].stopped)
        gate.reached.clear()
        await client.retry_job(created.job_id)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await gate.reached.wait()
        await client.cancel_job(created.job_id)
        await client.delete_job(created.job_id)
        await until(lambda: len(empty_mesh.stages["quality"].stopped) > 1)
        gate.opened.set()
        # The worker and the gateways are as they were.
        assert (await finished(client)).results.HasField("quality_report")
        assert [each.job_id async for each in client.list_jobs()] != [created.job_id]


async def _end(client: Client, job_id: str) -> job.Job:
    *_, last = [each async for each in client.watch_job(job_id)]
    return last.finished.job


async def _until_gateways(client: Client, count: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len((await client.get_mesh()).gateways) != count:
            await asyncio.sleep(0.01)


async def _until_served(client: Client, by: int = 1) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while by != sum(
            len(each.workers)
            for each in (await client.get_mesh()).stages
            if each.stage == common.STAGE_QUALITY
        ):
            await asyncio.sleep(0.01)
