"""Any one part dies in mid-job, and the job still ends in one right result."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from maie.job.v1 import job_pb2 as job
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import MeshOptions
from maie_client import Client

# tests/runtime/test_worker_process.py and tests/gateway/test_gateway_deaths.py kill single parts.
pytestmark = [
    pytest.mark.mesh,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]

STAGES = ("preprocess", "asr", "diarization", "enhancement", "summary")
# A unit of a dead worker is handed on after this; the default of 15 s would only slow the test.
ACK_WAIT_SECONDS = "2"
FEATURES = ("raw_transcript", "clean_transcript", "speakers", "summary")


def dies_once(stage: str, mark: Path) -> tuple[str, ...]:
    """A stage's service that is killed once, with its first unit done and nothing of it stored."""
    return (
        "/usr/bin/env",
        "MAIE_FAULT=worker.after_run:kill",
        f"MAIE_FAULT_MARK={mark}",
        *(sys.executable, "-P", "-m", f"maie_{stage}"),
    )


@pytest.fixture(scope="module")
def marks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files that say which stage's service has been killed."""
    folder = tmp_path_factory.mktemp("marks")
    return {stage: folder / stage for stage in STAGES}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(
    tmp_path_factory: pytest.TempPathFactory, marks: dict[str, Path]
) -> AsyncIterator[LocalMesh]:
    """A mesh of this module's own, since its parts are killed."""
    environment = {"MAIE_ACK_WAIT_SECONDS": ACK_WAIT_SECONDS}
    options = MeshOptions(
        data=tmp_path_factory.mktemp("killed"),
        port_base=0,
        profile="tiny",
        environment=environment,
        commands={stage: dies_once(stage, mark) for stage, mark in marks.items()},
    )
    async with LocalMesh(options) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def survivor(mesh: LocalMesh, short_recording: Path) -> job.Job:
    """The first job of the mesh: every stage's service dies once in the middle of it."""
    async with Client(mesh.gateway) as client:
        return await finish(client, short_recording)


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
async def expected(mesh: LocalMesh, short_recording: Path, survivor: job.Job) -> job.JobResults:
    """What comes out when nothing dies."""
    async with Client(mesh.gateway) as client:
        done = await finish(client, short_recording)
    assert done.state == job.JOB_STATE_COMPLETE
    assert [stage.units for stage in done.metrics.stages] == [1, 2, 5, 2, 3]
    return done.results


async def test_workers_killed_with_a_unit_in_hand_cost_nothing_but_time(
    marks: dict[str, Path], survivor: job.Job, expected: job.JobResults
) -> None:
    assert all(mark.exists() for mark in marks.values())
    assert survivor.state == job.JOB_STATE_COMPLETE
    assert survivor.results == expected


async def test_a_worker_killed_while_its_engine_works_costs_nothing_but_time(
    mesh: LocalMesh, short_recording: Path, expected: job.JobResults
) -> None:
    async with Client(mesh.gateway) as client:
        killed = False
        async for event in start(client, short_recording):
            if event.WhichOneof("event") == "segment" and not killed:
                mesh.kill_part("asr")
                killed = True
        assert killed
        assert event.finished.job.results == expected


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
