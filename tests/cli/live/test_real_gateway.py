"""`maie live` at a real gateway: captions, and the summary of the job that the session became."""

from __future__ import annotations

import asyncio
import json
import wave
from pathlib import Path

import numpy as np
import pytest

from maie_client import Client
from tests.cli.live.running import ended, maie_live
from tests.gateway.conftest import empty_mesh
from tests.gateway.live.conftest import LiveMesh, live_mesh
from tests.gateway.live.listening import decoded, laid, offsets
from tests.gateway.live.speech import RATE, interleaved, pause, said
from tests.waiting import PATIENCE_SECONDS

__all__ = ["empty_mesh", "live_mesh"]

pytestmark = pytest.mark.mesh


def recording(path: Path, *words: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(said(words))
    return path


async def test_captions_are_followed_by_the_summary_of_the_session(
    live_mesh: LiveMesh, tmp_path: Path
) -> None:
    anna, ben = recording(tmp_path / "anna.wav", 1, 2), recording(tmp_path / "ben.wav", 3)
    async with live_mesh.running() as (address, _), live_mesh.stages():
        code, lines, errors = await ended(
            *(address, anna, ben, "--fast", "--feature", "summary"),
            *("--feature", "raw_transcript", "--template", "meeting_notes_v1"),
        )
        assert code == 0, errors
        # How long after the session its tracks begin depends on the machine.
        said_by = sorted(line.partition("] ")[2] for line in lines[:3])
        assert said_by == ["anna: w1", "anna: w2", "ben: w3"]
        assert lines[3].startswith("# ")
        assert lines[5] == "## Parts"
        code, lines, errors = await ended(
            address, anna, "--fast", "--json", "--template", "meeting_notes_v1"
        )
    assert code == 0, errors
    *_, last, given, finished = map(json.loads, lines)
    assert last["ended"]["final_count"] == 2
    assert given["summary"]["summary"] == finished["finished"]["job"]["results"]["summary"]
    assert finished["finished"]["job"]["state"] == "COMPLETE"
    assert finished["finished"]["job"]["job_id"] == last["ended"]["job_id"]


async def test_audio_is_kept_and_saved(live_mesh: LiveMesh, tmp_path: Path) -> None:
    anna = recording(tmp_path / "anna.wav", 1, 2)
    async with live_mesh.running() as (address, _), Client(address) as client:
        code, _, errors = await ended(address, anna, "--fast", "--keep-audio")
        assert code == 0, errors
        (found,) = [each async for each in client.list_jobs()]
        assert [each async for each in client.watch_job(found.job_id)]
        await client.save_audio(found.job_id, tmp_path / "anna.flac")
        (begin,) = (await offsets(live_mesh, found.job_id)).values()
    assert np.array_equal(decoded(tmp_path / "anna.flac"), laid({begin: said([1, 2])}))


async def test_a_pipe_gets_each_utterance_refined(live_mesh: LiveMesh, tmp_path: Path) -> None:
    anna = recording(tmp_path / "anna.wav", 1, 2, 3)
    async with (
        live_mesh.enhancement(),
        live_mesh.running(refinement_end_seconds=PATIENCE_SECONDS) as (address, first),
    ):
        first.asr.vocabulary = {1: "we have to talk about the", 2: "budget for next year"}
        code, lines, errors = await ended(address, anna, "--fast", "--refine")
        assert code == 0, errors
        assert lines[:3] == [
            "[00:00] We have to talk about the",
            "[00:00] budget for next year.",
            "[00:01] W3.",
        ]
        # The text of the job follows, which is the same.
        assert lines[-1] == "We have to talk about the budget for next year. W3."
        code, lines, errors = await ended(
            address, anna, "--fast", "--feature", "raw_transcript", "--refine"
        )
        assert code == 2, lines
        assert "FEATURE_CLEAN_TRANSCRIPT" in errors


def call(path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(interleaved(said([1, 2]), pause(0.35) + said([7])))
    return path


@pytest.mark.parametrize("piped", [False, True])
async def test_the_sides_of_a_call_are_named(
    live_mesh: LiveMesh, tmp_path: Path, piped: bool
) -> None:
    path = call(tmp_path / "call.wav")
    async with live_mesh.running() as (address, _):
        content = path.read_bytes() if piped else None
        arguments = ("-" if piped else path, "--fast", "--channels", "split")
        _, lines, _ = await ended(address, *arguments, stdin=content)
    # How long after the session its track begins depends on the machine.
    said_by = sorted(line.partition("] ")[2] for line in lines)
    assert said_by == ["Channel 1: w1", "Channel 1: w2", "Channel 2: w7"]


async def test_a_session_that_somebody_else_ends_is_over_here(live_mesh: LiveMesh) -> None:
    async with (
        live_mesh.running() as (address, _),
        Client(address) as client,
        maie_live(address, "-", stdin=asyncio.subprocess.PIPE) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(said([1]))
        assert await process.stdout.readline() == b"[00:00] w1\n"
        (found,) = [each async for each in client.list_jobs()]
        await client.cancel_job(found.job_id)
        # Before standard input ends, after which this command would end the session.
        assert process.stderr is not None
        assert await process.stderr.readline() == b"somebody else has ended the session\n"
        output, errors = await process.communicate()
    assert (process.returncode, output) == (1, b"")
    assert errors.decode().endswith("error: The job was cancelled.\n")
