"""Who is served when: lanes, windows, turns, retries, and several gateways at once."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import uuid_utils

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1.record_pb2 import JobRecord
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.settings import ServiceSettings
from maie_gateway.conductor import FINAL_STATES, Policy, accept, lane
from maie_gateway.engine.wiring import Conducting, ConductingOptions, conducting
from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.erasing import erase_all
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.worker.server import serve_stage
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import EmptyStage
from tests.gateway.conftest import EmptyMesh
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

RAW = (job.FEATURE_RAW_TRANSCRIPT,)


@dataclass(kw_only=True)
class Gateway:
    """The conducting part of a gateway.

    Attributes:
        broker: Its connection.
        jobs: What conducts.
    """

    broker: Broker
    jobs: Conducting

    async def submit(
        self,
        *,
        chunks: int = 1,
        tenant: str = "default",
        features: tuple[job.Feature, ...] = RAW,
        in_lane: job.Lane = job.LANE_BATCH,
    ) -> str:
        """Accepts a job; the size of its recording is its count of chunks."""
        config = job.JobConfig(features=features, lane=in_lane)
        step = accept(
            job_id=str(uuid_utils.uuid7()),
            config=config,
            recording=common.Blob(key="recording", size_bytes=chunks),
            template=None,
            template_sha256="",
            pipeline_version="0",
            traceparent="",
            now=datetime.now(UTC),
            tenant=tenant,
            held=self.jobs.fair_share.must_wait(tenant, lane(JobRecord(config=config))),
        )
        await self.jobs.conductor.begin(step)
        return step.record.job_id

    async def tell(self, job_id: str, **what: Any) -> JobRecord:
        """Takes an event of the job as a whole."""
        return await self.jobs.conductor.take(job_id, [event.StageEvent(job_id=job_id, **what)])

    async def retry(self, job_id: str) -> JobRecord:
        """Takes up a job again."""
        return await self.tell(job_id, retry_requested=event.RetryRequested())

    async def cancel(self, job_id: str) -> JobRecord:
        """Cancels a job."""
        return await self.tell(job_id, cancel_requested=event.CancelRequested())

    async def record(self, job_id: str) -> JobRecord:
        """The job as it is."""
        return (await self.jobs.store.get(job_id)).record

    async def end(self, job_id: str) -> JobRecord:
        """The job once it is final."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (seen := await self.record(job_id)).state not in FINAL_STATES:
                await asyncio.sleep(0.02)
        return seen

    async def queued(self, stage: str) -> set[str]:
        """The jobs that have tasks of a stage, waiting or in work."""
        info = await self.broker.jetstream.stream_info(
            subjects.TASKS, subjects_filter=f"maie.task.{stage}.>"
        )
        return {subject.split(".")[4] for subject in info.state.subjects or ()}

    async def until_queued(self, stage: str, *job_ids: str) -> None:
        """Waits until jobs have tasks of a stage."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not set(job_ids) <= await self.queued(stage):
                await asyncio.sleep(0.01)


@dataclass(kw_only=True)
class Gate:
    """Lets the runs of a stage through one by one, and remembers them.

    Attributes:
        runs: The job and the unit of each run, in the order of their begin.
        tokens: How many runs may end.
    """

    runs: list[tuple[str, str]] = field(default_factory=list)
    tokens: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def __call__(self, context: StageContext) -> None:
        self.runs.append((context.job_id, context.unit))
        await self.tokens.acquire()

    def open(self, runs: int = 10_000) -> None:
        """Lets runs end."""
        for _ in range(runs):
            self.tokens.release()

    async def begun(self, count: int) -> None:
        """Waits until so many runs have begun."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.runs) < count:
                await asyncio.sleep(0.01)

    @property
    def jobs(self) -> list[str]:
        """The jobs of the runs in their order."""
        return [job_id for job_id, _ in self.runs]


@asynccontextmanager
async def gateway(empty_mesh: EmptyMesh, **options: Any) -> AsyncIterator[Gateway]:
    """A gateway that conducts."""
    settings = {"max_running_jobs": 1000, "reconcile_seconds": 15.0, **options}
    async with (
        open_provisioned_broker(empty_mesh.nats.url, f"gateway-{uuid.uuid4()}") as broker,
        conducting(broker, ConductingOptions(policy=Policy(), **settings)) as jobs,
    ):
        yield Gateway(broker=broker, jobs=jobs)


@asynccontextmanager
async def workers(empty_mesh: EmptyMesh) -> AsyncIterator[None]:
    """A worker of each stage; preprocess cuts as many chunks as the recording has bytes."""
    preprocess = empty_mesh.stages["preprocess"]
    cut = preprocess.answer
    preprocess.answer = lambda request, context, _: cut(
        request, context, request.recording.size_bytes
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(empty_mesh.services())
        yield


@asynccontextmanager
async def mesh(empty_mesh: EmptyMesh, **options: Any) -> AsyncIterator[Gateway]:
    """Workers and a gateway."""
    async with workers(empty_mesh), gateway(empty_mesh, **options) as one:
        yield one


def another_worker(empty_mesh: EmptyMesh, stage: EmptyStage) -> Any:
    """One more ASR worker."""
    settings = ServiceSettings(mesh=empty_mesh.mesh, instance=f"asr-{uuid.uuid4()}")
    return serve_stage(BINDINGS["asr"], settings, stage.opened)


async def test_interactive_jobs_are_served_before_all_batch_jobs(empty_mesh: EmptyMesh) -> None:
    gate = empty_mesh.stages["asr"].hook = Gate()
    async with mesh(empty_mesh) as one:
        first = await one.submit()
        await gate.begun(1)
        batch = [await one.submit() for _ in range(3)]
        await one.until_queued("asr", *batch)
        urgent = await one.submit(in_lane=job.LANE_INTERACTIVE)
        await one.until_queued("asr", urgent)
        gate.open()
        for job_id in (first, *batch, urgent):
            assert (await one.end(job_id)).state == job.JOB_STATE_COMPLETE
        assert gate.jobs[:2] == [first, urgent]
        assert sorted(gate.jobs[2:]) == sorted(batch)


async def test_a_long_job_delays_a_short_one_by_one_chunk_of_each_worker(
    empty_mesh: EmptyMesh,
) -> None:
    gate = empty_mesh.stages["asr"].hook = Gate()
    empty_mesh.service_options["slots"] = 2
    async with mesh(empty_mesh) as one:
        long = await one.submit(chunks=48)
        await gate.begun(2)
        gate.open(4)
        await gate.begun(6)
        short = await one.submit()
        await one.until_queued("asr", short)
        gate.open()
        assert (await one.end(short)).state == job.JOB_STATE_COMPLETE
        assert short in gate.jobs[6:8]
        assert (await one.end(long)).state == job.JOB_STATE_COMPLETE
        assert gate.jobs.count(long) == 48


async def test_what_could_run_is_seen_though_one_slot_holds_it_back(empty_mesh: EmptyMesh) -> None:
    gate = empty_mesh.stages["asr"].hook = Gate()
    async with mesh(empty_mesh) as one, gateway(empty_mesh) as other:
        await one.submit(chunks=48)
        await one.submit(chunks=2, in_lane=job.LANE_INTERACTIVE)
        both = {(common.STAGE_ASR, "batch"): 48, (common.STAGE_ASR, "interactive"): 2}
        seen = [one.jobs.changes, other.jobs.changes]
        await until(lambda: all(each.demand() == both for each in seen))
        gate.open()
        await until(lambda: not any(each.demand() for each in seen))


async def test_workers_that_come_later_share_a_long_job(empty_mesh: EmptyMesh) -> None:
    gate = empty_mesh.stages["asr"].hook = Gate()
    async with mesh(empty_mesh, reconcile_seconds=1000.0) as one:
        long = await one.submit(chunks=4)
        await gate.begun(1)
        async with another_worker(empty_mesh, empty_mesh.stages["asr"]):
            await gate.begun(2)
            gate.open()
            assert (await one.end(long)).state == job.JOB_STATE_COMPLETE


async def test_a_tenant_runs_no_more_than_its_share(empty_mesh: EmptyMesh) -> None:
    most: dict[str, int] = {}
    tenants: dict[str, str] = {}
    running: dict[str, set[str]] = {"acme": set(), "other": set()}
    begun: list[str] = []

    async def count(context: StageContext) -> None:
        # A job may begin before its submitter has the answer.
        tenant = await until(lambda: tenants.get(context.job_id, ""))
        running[tenant].add(context.job_id)
        most[tenant] = max(most.get(tenant, 0), len(running[tenant]))
        begun.append(context.job_id)
        await asyncio.sleep(0.02)

    empty_mesh.stages["preprocess"].hook = count
    async with mesh(empty_mesh, max_running_jobs=2) as one:

        async def submit(tenant: str) -> str:
            job_id = await one.submit(tenant=tenant)
            tenants[job_id] = tenant
            return job_id

        async def end(job_id: str) -> JobRecord:
            ended = await one.end(job_id)
            running[tenants[job_id]].discard(job_id)
            return ended

        gate = empty_mesh.stages["asr"].hook = Gate()
        greedy = [await submit("acme") for _ in range(6)]
        modest = [await submit("other") for _ in range(2)]
        await one.until_queued("asr", *greedy[:2], *modest)
        held = [job_id for job_id in greedy if (await one.record(job_id)).held]
        assert held == greedy[2:]
        assert not await one.queued("preprocess")
        gate.open()
        ends = [end(job_id) for job_id in greedy + modest]
        assert {e.state for e in await asyncio.gather(*ends)} == {job.JOB_STATE_COMPLETE}
        assert most["other"] == 2
        assert begun[:4] == greedy[:2] + modest
        assert begun[4:] == greedy[2:]


async def test_held_jobs_get_their_turn_though_their_gateway_died(empty_mesh: EmptyMesh) -> None:
    gate = empty_mesh.stages["asr"].hook = Gate()
    async with workers(empty_mesh):
        async with gateway(empty_mesh, max_running_jobs=1) as dead:
            job_ids = [await dead.submit() for _ in range(3)]
            await gate.begun(1)
        gate.open()
        async with gateway(empty_mesh, max_running_jobs=1) as one:
            for job_id in job_ids:
                assert (await one.end(job_id)).state == job.JOB_STATE_COMPLETE
    assert gate.jobs == job_ids


async def test_a_cancelled_held_job_never_runs(empty_mesh: EmptyMesh) -> None:
    gate = empty_mesh.stages["asr"].hook = Gate()
    async with mesh(empty_mesh, max_running_jobs=1) as one:
        first, second, third = [await one.submit() for _ in range(3)]
        assert (await one.cancel(second)).state == job.JOB_STATE_CANCELLED
        gate.open()
        await one.end(third)
        assert gate.jobs == [first, third]


async def test_a_retry_runs_what_failed_and_what_follows(empty_mesh: EmptyMesh) -> None:
    async def refuses(_: StageContext) -> None:
        raise StageError(Code.INVALID_ARGUMENT, Reason.SUMMARY_INVALID, "It does not fit.")

    stages = empty_mesh.stages
    usual, stages["summary"].hook = stages["summary"].hook, refuses
    async with mesh(empty_mesh) as one:
        job_id = await one.submit(chunks=2, features=(job.FEATURE_SUMMARY,))
        lost = await one.end(job_id)
        assert lost.state == job.JOB_STATE_FAILED
        stages["summary"].hook = usual
        await one.retry(job_id)
        done = await one.end(job_id)
    assert done.state == job.JOB_STATE_COMPLETE
    assert [len(stages[slug].runs) for slug in ("preprocess", "asr", "enhancement")] == [1, 2, 2]
    assert sorted(stages["summary"].runs[2:]) == [
        *(("summary.map.0000", 2), ("summary.map.0001", 2), ("summary.reduce", 1)),
    ]
    assert list(done.log[: len(lost.log)]) == list(lost.log)


async def test_a_cancelled_job_can_be_taken_up_again(empty_mesh: EmptyMesh) -> None:
    gate = empty_mesh.stages["asr"].hook = Gate()
    async with mesh(empty_mesh) as one:
        job_id = await one.submit(chunks=3)
        await gate.begun(1)
        assert (await one.cancel(job_id)).state == job.JOB_STATE_CANCELLED
        await one.retry(job_id)
        gate.open()
        done = await one.end(job_id)
    assert done.state == job.JOB_STATE_COMPLETE
    assert len(empty_mesh.stages["preprocess"].runs) == 1
    assert [unit.attempt for unit in done.units] == [1, 2, 1, 1]


async def test_two_gateways_end_every_job_once(empty_mesh: EmptyMesh) -> None:
    gate = empty_mesh.stages["asr"].hook = Gate()
    gate.open()
    options = {"max_running_jobs": 3}
    async with mesh(empty_mesh, **options) as one, gateway(empty_mesh, **options) as other:
        job_ids = await asyncio.gather(
            *((one, other)[index % 2].submit(chunks=3) for index in range(20))
        )
        ended = await asyncio.gather(*(other.end(job_id) for job_id in job_ids))
    for seen in ended:
        states = [e.state_changed.state for e in seen.log if e.HasField("state_changed")]
        assert states.count(job.JOB_STATE_COMPLETE) == 1
        assert states[-1] == job.JOB_STATE_COMPLETE
        units = [e.unit_ended.unit for e in seen.log if e.HasField("unit_ended")]
        assert sorted(units) == sorted(unit.unit for unit in seen.units)
    assert sorted(gate.runs) == sorted(
        (job_id, f"asr.{index:04d}") for job_id in job_ids for index in range(3)
    )


async def test_a_task_that_was_lost_is_brought_back_though_its_id_is_known(
    empty_mesh: EmptyMesh,
) -> None:
    quick = {"reconcile_seconds": 0.2, "settled_seconds": 0.5}
    async with gateway(empty_mesh, **quick) as one:
        job_id = await one.submit()
        await one.until_queued("preprocess", job_id)
        await erase_all(one.broker, subjects.TASKS, subjects.tasks_of_job(job_id))
        async with workers(empty_mesh):
            assert (await one.end(job_id)).state == job.JOB_STATE_COMPLETE
    assert empty_mesh.stages["preprocess"].runs == [("preprocess", 1)]


async def test_what_is_in_work_is_not_brought_back(empty_mesh: EmptyMesh) -> None:
    gate = empty_mesh.stages["asr"].hook = Gate()
    async with mesh(empty_mesh, reconcile_seconds=0.1, settled_seconds=0.1) as one:
        job_id = await one.submit(chunks=3)
        await gate.begun(1)
        await asyncio.sleep(1)
        tasks = await one.broker.jetstream.stream_info(subjects.TASKS)
        assert tasks.state.messages == 1
        gate.open()
        assert (await one.end(job_id)).state == job.JOB_STATE_COMPLETE
    assert sorted(gate.runs) == [(job_id, f"asr.{index:04d}") for index in range(3)]
