"""`maie live` at a real gateway: captions, and the summary of the job that the session became."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import pytest

from tests.cli.live.running import ended
from tests.gateway.conftest import empty_mesh
from tests.gateway.live.conftest import LiveMesh, live_mesh
from tests.gateway.live.speech import RATE, said

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
        assert sorted(lines[:3]) == [
            "[00:00] anna: w1",
            "[00:00] anna: w2",
            "[00:00] ben: w3",
        ]
        assert lines[3].startswith("# ")
        assert lines[5] == "## Parts"
        code, lines, errors = await ended(
            address, anna, "--fast", "--json", "--template", "meeting_notes_v1"
        )
    assert code == 0, errors
    *_, last, finished = map(json.loads, lines)
    assert last["ended"]["final_count"] == 2
    assert finished["finished"]["job"]["state"] == "COMPLETE"
    assert finished["finished"]["job"]["job_id"] == last["ended"]["job_id"]
