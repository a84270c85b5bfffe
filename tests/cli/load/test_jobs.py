"""`maie load` submits jobs to a real mesh of stages that do nothing, and says what came of them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.worker.stage import StageContext
from tests.cli.command import MAIE, maie_at
from tests.client.fake_gateway import FakeJobs, script, serving
from tests.empty_stages import Gate
from tests.gateway.conftest import EmptyMesh, empty_mesh
from tests.waiting import PATIENCE_SECONDS

__all__ = ["empty_mesh"]

SECONDS = 10.0
"""The length that the empty stage gives each recording."""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "talk.wav"
    path.write_bytes(b"sound")
    return path


async def jobs_of(client: Client) -> list[job.Job]:
    return [each async for each in client.list_jobs()]


@pytest.mark.mesh
async def test_all_jobs_are_followed_and_measured(empty_mesh: EmptyMesh, recording: Path) -> None:
    async with empty_mesh.running() as client:
        code, output, errors = await maie_at(
            client.address, "load", recording, "-n", "5", "-c", "2", "--json", "--label", "a=b"
        )
        assert (code, errors) == (0, "")
        found = json.loads(output)
        assert [found[name] for name in ("kind", "recording", "count", "at_once")] == [
            *("job", "talk.wav", 5, 2),
        ]
        assert [found[name] for name in ("complete", "failed", "cancelled", "not_begun")] == [
            *(5, 0, 0, 0),
        ]
        assert found["audio_seconds"] == 5 * SECONDS
        assert found["audio_hours_per_hour"] == pytest.approx(5 * SECONDS / found["seconds"])
        latencies = found["latencies"]
        assert list(latencies) == ["accepted", "first_words", "end"]
        for of in latencies.values():
            assert of["count"] == 5
            assert 0 < of["p50"] <= of["p90"] <= of["p99"] <= of["max"] < found["seconds"]
        order = [latencies[name]["mean"] for name in latencies]
        assert order == sorted(order)
        assert sum(bar["count"] for bar in found["distribution"]) == 5
        assert sum(slot["count"] for slot in found["course"]) == 5
        made = await jobs_of(client)
        assert [each.labels["a"] for each in made] == ["b"] * 5
        # As text, and nothing stays.
        code, output, _ = await maie_at(
            client.address, "load", recording, "-n", "3", "-c", "3", "--delete"
        )
        assert code == 0
        assert output.startswith("3 jobs of talk.wav, 3 at a time\n3 complete in ")
        assert "first words" in output
        assert {each.job_id for each in await jobs_of(client)} == {each.job_id for each in made}


@pytest.mark.mesh
async def test_failures_are_counted_by_reason(empty_mesh: EmptyMesh, recording: Path) -> None:
    runs = 0

    async def fails_twice(_: StageContext) -> None:
        nonlocal runs
        runs += 1
        if runs <= 2:
            raise StageError(Code.INVALID_ARGUMENT, Reason.AUDIO_CORRUPT, "It is damaged.")

    empty_mesh.stages["preprocess"].hook = fails_twice
    async with empty_mesh.running() as client:
        code, output, _ = await maie_at(
            client.address, "load", recording, "-n", "4", "-c", "4", "--json"
        )
    found = json.loads(output)
    assert code == 2  # the recording cannot be used
    assert (found["complete"], found["failed"]) == (2, 2)
    (error,) = found["errors"]
    assert (error["reason"], error["count"]) == ("AUDIO_CORRUPT", 2)
    assert error["message"] == "It is damaged."
    assert found["latencies"]["end"]["count"] == 2
    assert found["latencies"]["accepted"]["count"] == 4
    assert found["audio_seconds"] == 2 * SECONDS


@pytest.mark.mesh
async def test_ctrl_c_cancels_what_runs_and_prints_what_there_is(
    empty_mesh: EmptyMesh, recording: Path
) -> None:
    gate = Gate()
    empty_mesh.stages["asr"].hook = gate
    async with empty_mesh.running() as client:
        process = await asyncio.create_subprocess_exec(
            *(MAIE, "load", recording, "-n", "5", "-c", "2", "--json"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "MAIE_GATEWAY": client.address},
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            while [each.state for each in await jobs_of(client)] != [
                job.JOB_STATE_PROCESSING_ASR
            ] * 2:
                await asyncio.sleep(0.05)
            process.send_signal(signal.SIGINT)
            output, errors = await process.communicate()
        states = [each.state for each in await jobs_of(client)]
    assert process.returncode == 130
    assert errors.decode() == "cancelling what runs; Ctrl-C once more leaves it as it is\n"
    found: dict[str, Any] = json.loads(output)
    assert (found["cancelled"], found["not_begun"], found["left"]) == (2, 3, 0)
    assert states == [job.JOB_STATE_CANCELLED] * 2


@pytest.mark.unit
async def test_refusals_are_counted_and_the_exit_code_says_so(recording: Path) -> None:
    jobs = FakeJobs(script())
    jobs.refusal = StageError(
        Code.RESOURCE_EXHAUSTED,
        Reason.QUEUE_FULL,
        "Too busy.",
        retry_after=timedelta(milliseconds=1),
    )
    async with serving(jobs) as address:
        code, output, errors = await maie_at(address, "load", recording, "-n", "3", "-c", "1")
    assert (code, errors) == (3, "")
    assert "0 complete, 3 failed" in output
    assert "3  QUEUE_FULL  Too busy." in output


@pytest.mark.unit
async def test_without_a_gateway_that_is_said_once(recording: Path) -> None:
    code, output, errors = await maie_at("127.0.0.1:1", "load", recording)
    assert (code, output) == (3, "")
    assert errors.count("\n") == 1


@pytest.mark.unit
@pytest.mark.parametrize(
    "more", [("--feature", "summary"), ("--template", "x"), ("--interactive",)]
)
async def test_live_streams_take_no_options_of_jobs(recording: Path, more: tuple[str, ...]) -> None:
    code, _, errors = await maie_at("127.0.0.1:1", "load", recording, "--live", *more)
    assert code == 2
    assert "captions only" in errors


@pytest.mark.unit
async def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    for more in ((), ("--live",)):
        code, _, errors = await maie_at("127.0.0.1:1", "load", tmp_path / "none.wav", *more)
        assert (code, errors) == (2, f"error: There is no file {tmp_path / 'none.wav'}\n")
