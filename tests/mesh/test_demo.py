"""The demo, as a newcomer runs it: what it prints and what it leaves."""

from __future__ import annotations

import json
import os
import re
import subprocess

import jiwer
import psutil
import pytest

from tests.asr.recordings import STANDUP_TEXT, spoken_words, words_of
from tests.mesh.conftest import MAIE, ROOT

pytestmark = [pytest.mark.mesh, pytest.mark.timeout(240)]

DECISIONS = [
    "We decided to release the new version on Thursday.",
    "We also decided to keep the old price for current customers.",
]
ACTION_ITEMS = [
    {"task": "Write the release notes", "owner": "David", "due": "Wednesday"},
    {"task": "Send the invoice to the customer", "owner": "Susan", "due": "Friday"},
    {"task": "Move the database to a new machine", "owner": "Michael", "due": "next Tuesday"},
]
MAX_WORD_ERROR_RATE = 0.05
# Where the sample's script has them, give or take a second.
MOMENTS = {"/decisions/0": 22, "/action_items/0": 35, "/action_items/2": 52}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict]:
    """What the demo printed, and its result as JSON."""
    folder = tmp_path_factory.mktemp("demo")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAIE_")}
    done = subprocess.run(
        [str(MAIE), "demo", "--output", str(folder)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.suffix for path in folder.iterdir()} == {".txt", ".json", ".srt", ".vtt", ".md"}
    return done.stdout + done.stderr, json.loads((folder / "standup.json").read_text())


def test_the_transcript_is_what_was_said(demo: tuple[str, dict]) -> None:
    _, result = demo
    said = " ".join(spoken_words(STANDUP_TEXT))
    heard = " ".join(words_of(result["results"]["clean_transcript"]))
    assert jiwer.wer(said, heard) < MAX_WORD_ERROR_RATE


def test_the_summary_names_decisions_and_action_items(demo: tuple[str, dict]) -> None:
    summary = demo[1]["results"]["summary"]["content"]
    assert summary["decisions"] == DECISIONS
    assert summary["action_items"] == ACTION_ITEMS


def test_each_item_cites_the_moment_it_came_from(demo: tuple[str, dict]) -> None:
    summary = demo[1]["results"]["summary"]
    cited = {citation["pointer"]: citation["ranges"][0] for citation in summary["citations"]}
    for pointer, second in MOMENTS.items():
        assert float(cited[pointer]["start_offset"].rstrip("s")) == pytest.approx(second, abs=1.5)
    assert {f"/decisions/{n}" for n in range(2)} <= cited.keys()
    assert {f"/action_items/{n}" for n in range(3)} <= cited.keys()


def test_the_result_names_what_made_it(demo: tuple[str, dict]) -> None:
    versions = demo[1]["versions"]
    assert [stage["stage"] for stage in versions["stages"]] == [
        *("preprocess", "asr", "enhancement", "summary")
    ]
    for stage in versions["stages"]:
        assert re.fullmatch(r"[0-9a-f]{64}", stage["engine"]["checkpoint_sha256"])


def test_nothing_is_left_running(demo: tuple[str, dict]) -> None:
    printed = demo[0]
    assert "everything has stopped" in printed
    pids = {int(number) for number in re.findall(r"127\.0\.0\.1:\d+\s+(\d+)", printed)}
    assert len(pids) == 6
    for pid in pids:
        assert not psutil.pid_exists(pid) or "maie" not in " ".join(psutil.Process(pid).cmdline())
