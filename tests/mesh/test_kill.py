"""Any one part dies in mid-job, and the job still ends in one right result."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_cli.mesh import LocalMesh, MeshOptions
from maie_client import Client

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="module")]

STAGES = {
    "preprocess": common.STAGE_PREPROCESS,
    "asr": common.STAGE_ASR,
    "enhancement": common.STAGE_ENHANCEMENT,
    "summary": common.STAGE_SUMMARY,
}
# A unit of a dead worker is handed on after this; the default of 15 s would only slow the test.
ACK_WAIT_SECONDS = "2"
FEATURES = ("raw_transcript", "clean_transcript", "summary")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalMesh]:
    """A mesh of this module's own, since its parts are killed."""
    environment = {f"MAIE_{slug.upper()}_ACK_WAIT_SECONDS": ACK_WAIT_SECONDS for slug in STAGES}
    options = MeshOptions(
        data=tmp_path_factory.mktemp("killed"), port_base=0, environment=environment
    )
    async with LocalMesh(options) as running:
        yield running


async def finish(client: Client, recording: Path) -> job.Job:
    """Processes a recording in two chunks, to its end."""
    events = [event async for event in start(client, recording)]
    sequences = [event.sequence for event in events if event.sequence]
    assert sequences == list(range(1, len(sequences) + 1))
    return events[-1].finished.job


def start(client: Client, recording: Path) -> AsyncIterator[job.JobEvent]:
    """Submits a recording that is cut into two chunks."""
    return client.process(
        recording,
        features=FEATURES,
        template_id="meeting_notes_v1",
        chunk_duration=timedelta(seconds=5),
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def expected(mesh: LocalMesh, short_recording: Path) -> job.JobResults:
    """What comes out when nothing dies."""
    async with Client(mesh.gateway) as client:
        done = await finish(client, short_recording)
    assert done.state == job.JOB_STATE_COMPLETE
    assert [stage.units for stage in done.metrics.stages] == [1, 2, 2, 3]
    return done.results


async def running_units(client: Client, stage: common.Stage) -> int:
    """How many units workers of a stage have in hand."""
    shown = await client.get_mesh()
    return next(status.running_units for status in shown.stages if status.stage == stage)


@pytest.mark.parametrize("part", STAGES)
async def test_a_worker_killed_with_a_unit_in_hand_costs_nothing_but_time(
    mesh: LocalMesh, short_recording: Path, expected: job.JobResults, part: str
) -> None:
    async with Client(mesh.gateway) as client:
        # Frozen, it takes a unit and does nothing with it: the kill hits every time.
        os.kill(mesh.children[part].pid or 0, signal.SIGSTOP)
        finishing = asyncio.create_task(finish(client, short_recording))
        async with asyncio.timeout(40):
            while not await running_units(client, STAGES[part]):
                await asyncio.sleep(0.05)
        mesh.kill_part(part)
        done = await finishing
        assert done.state == job.JOB_STATE_COMPLETE
        assert done.results == expected


@pytest.mark.parametrize("part", ["gateway", "nats"])
async def test_a_watcher_goes_on_when_gateway_or_broker_was_killed(
    mesh: LocalMesh, short_recording: Path, expected: job.JobResults, part: str
) -> None:
    async with Client(mesh.gateway) as client:
        killed = False
        sequences = []
        async for event in start(client, short_recording):
            if event.sequence:
                sequences.append(event.sequence)
            if event.WhichOneof("event") == "segment" and not killed:
                mesh.kill_part(part)
                killed = True
        assert killed
        assert sequences == list(range(1, len(sequences) + 1))
        assert event.finished.job.state == job.JOB_STATE_COMPLETE
        assert event.finished.job.results == expected
        shown = await client.get_mesh()
        assert all(status.workers for status in shown.stages)


async def test_a_stage_that_is_away_makes_its_jobs_wait_until_it_is_back(
    mesh: LocalMesh, short_recording: Path, expected: job.JobResults
) -> None:
    async with Client(mesh.gateway) as client:
        await mesh.stop_part("enhancement")
        finishing = asyncio.create_task(finish(client, short_recording))
        await asyncio.sleep(6)
        assert not finishing.done()
        await mesh.start_part("enhancement")
        assert (await finishing).results == expected
