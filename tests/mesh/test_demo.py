"""The demo, as a newcomer runs it: what it prints and what it leaves."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import jiwer
import psutil
import pytest

from tests.asr.recordings import SCHEDULE, STANDUP_TEXT, spoken_words, words_of
from tests.cli.command import MAIE
from tests.mesh.conftest import ROOT, environment

# tests/mesh/test_readme.py reads a recording with the same engines.
pytestmark = [pytest.mark.mesh, pytest.mark.slow]

READING_TEXT = ROOT / "samples" / "reading.txt"
DECISIONS = ["release the new version on Thursday", "keep the old price for current customers"]
# Task (its last words), owner, due.
ACTION_ITEMS = [
    ("release notes", "David", "Wednesday"),
    ("invoice to the customer", "Susan", "Friday"),
    ("database to a new machine", "Michael", "next Tuesday"),
]
MAX_WORD_ERROR_RATE = 0.05
# Where the sample's script has them, give or take a second.
MOMENTS = {"/decisions/0": 22, "/action_items/0": 35, "/action_items/2": 52}
FORMATS = {".txt", ".json", ".srt", ".vtt", ".tsv", ".md", ".rttm"}


@dataclass(kw_only=True, frozen=True)
class Shown:
    """What the demo printed, and its results as JSON.

    Attributes:
        printed: Everything on the terminal.
        reading: The recording of a real person.
        meeting: The recording of a meeting.
    """

    printed: str
    reading: dict[str, Any]
    meeting: dict[str, Any]


def run_demo(folder: Path, *arguments: object) -> str:
    done = subprocess.run(
        [str(MAIE), "demo", *map(str, arguments), "--output", str(folder)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder = tmp_path_factory.mktemp("demo")
    printed = run_demo(folder)
    assert {path.suffix for path in folder.iterdir()} == FORMATS
    reading, meeting = (
        json.loads((folder / f"{name}.json").read_text()) for name in ("reading", "standup")
    )
    return Shown(printed=printed, reading=reading, meeting=meeting)


def test_a_real_person_is_read_word_for_word(demo: Shown) -> None:
    said = words_of(READING_TEXT.read_text(encoding="utf-8"))
    assert words_of(demo.reading["results"]["clean_transcript"]) == said
    # A novel has no minutes.
    assert "summary" not in demo.reading["results"]
    assert "more amiable woman" in demo.printed


def test_the_meeting_is_what_was_said(demo: Shown) -> None:
    said = " ".join(spoken_words(STANDUP_TEXT))
    heard = " ".join(words_of(demo.meeting["results"]["clean_transcript"]))
    assert jiwer.wer(said, heard) < MAX_WORD_ERROR_RATE


def test_the_meeting_has_two_speakers_who_take_turns(demo: Shown) -> None:
    results = demo.meeting["results"]
    assert [each["speaker"] for each in results["speakers"]] == ["S1", "S2"]
    turns = [speaker for speaker, _ in groupby(each["speaker"] for each in results["segments"])]
    voices = [line.partition(":")[0] for line in STANDUP_TEXT.read_text().splitlines()]
    assert turns == ["S1" if voice == voices[0] else "S2" for voice in voices]
    assert {each["speaker"] for each in demo.reading["results"]["segments"]} == {"S1"}


def test_the_summary_names_decisions_and_action_items(demo: Shown) -> None:
    summary = demo.meeting["results"]["summary"]["content"]
    assert len(summary["decisions"]) == len(DECISIONS)
    for decision, expected in zip(summary["decisions"], DECISIONS, strict=True):
        assert expected in decision
    items = [(item["task"], item["owner"], item["due"]) for item in summary["action_items"]]
    assert len(items) == len(ACTION_ITEMS)
    for (task, *who_and_when), (expected, owner, due) in zip(items, ACTION_ITEMS, strict=True):
        assert task.endswith(expected)
        assert who_and_when == [owner, due]


def test_each_item_cites_the_moment_it_came_from(demo: Shown) -> None:
    summary = demo.meeting["results"]["summary"]
    cited = {citation["pointer"]: citation["ranges"][0] for citation in summary["citations"]}
    for pointer, second in MOMENTS.items():
        assert float(cited[pointer]["start_offset"].rstrip("s")) == pytest.approx(second, abs=1.5)
    assert {f"/decisions/{n}" for n in range(2)} <= cited.keys()
    assert {f"/action_items/{n}" for n in range(3)} <= cited.keys()


def test_the_result_names_what_made_it(demo: Shown) -> None:
    versions = demo.meeting["versions"]
    # Whisper punctuates by itself, so there is nothing to enhance.
    stages = {stage["stage"]: stage["engine"] for stage in versions["stages"]}
    assert list(stages) == ["preprocess", "asr", "diarization", "summary"]
    assert stages["asr"]["engine"] == "whisper"
    assert stages["asr"]["model_name"] == "whisper-base"
    for stage in versions["stages"]:
        assert re.fullmatch(r"[0-9a-f]{64}", stage["engine"]["checkpoint_sha256"])


def test_nothing_is_left_running(demo: Shown) -> None:
    printed = demo.printed
    assert "everything has stopped" in printed
    pids = {int(number) for number in re.findall(r"127\.0\.0\.1:\d+\s+(\d+)", printed)}
    assert len(pids) >= 6  # and further ASR workers where there are cores
    for pid in pids:
        assert not psutil.pid_exists(pid) or "maie" not in " ".join(psutil.Process(pid).cmdline())


def test_a_recording_of_ones_own_is_shown(tmp_path: Path) -> None:
    """On the engine that needs no download, as a machine without a network has it."""
    printed = run_demo(tmp_path, SCHEDULE, "--profile", "tiny")
    assert "the project is on schedule" in printed.lower()
    assert {path.stem for path in tmp_path.iterdir()} == {SCHEDULE.stem}
