"""Cancelling, retrying and renaming jobs with the `maie` command, over a real mesh."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

Run = Callable[..., subprocess.CompletedProcess[str]]
FEATURES = ("--feature", "clean_transcript", "--feature", "raw_transcript")


@pytest.fixture(scope="module")
def job_id(maie: Run, short_recording: Path) -> str:
    """A finished job with a name and labels."""
    done = maie(
        *("process", short_recording, "--json", *FEATURES),
        *("--name", "Monday", "--label", "team=search", "--label", "kind=standup"),
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["job_id"]


def ids(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line)["job_id"] for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_jobs_are_listed_by_label_state_and_time(maie: Run, job_id: str) -> None:
    assert ids(maie("jobs", "list", "--json", "--label", "team=search")) == [job_id]
    assert ids(maie("jobs", "list", "--json", "--label", "team=other")) == []
    both = ("--state", "COMPLETE", "--label", "kind=standup", "--since", "2020-01-01")
    assert ids(maie("jobs", "list", "--json", *both)) == [job_id]
    assert ids(maie("jobs", "list", "--json", "--until", "2020-01-01")) == []


def found(maie: Run, word: str, job_id: str) -> dict[str, Any]:
    """The hit of a job: its words are read from the results in a moment after its end."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        done = maie("search", word, "--json")
        assert done.returncode == 0, done.stderr
        for hit in map(json.loads, done.stdout.splitlines()):
            if hit["job"]["job_id"] == job_id:
                return hit
    raise TimeoutError


def test_words_are_found_with_the_moment_they_were_said(maie: Run, job_id: str) -> None:
    hit = found(maie, "release", job_id)
    assert "release" in hit["moments"][0]["snippet"].lower()
    assert hit["moments"][0]["range"]["start_offset"].endswith("s")
    assert "[00:0" in maie("search", "release").stdout
    assert maie("search", "giraffe").stdout == ""


def test_a_job_is_renamed_and_relabelled(maie: Run, job_id: str) -> None:
    done = maie("jobs", "update", job_id, "--name", "Tuesday", "--label", "kind=", "--json")
    changed = json.loads(done.stdout)
    assert (changed["display_name"], changed["labels"]) == ("Tuesday", {"team": "search"})
    assert "Tuesday" in maie("jobs", "list", "--label", "team=search").stdout


def test_a_submit_with_the_same_id_gives_the_same_job(maie: Run, short_recording: Path) -> None:
    submit = ("process", short_recording, "--json", *FEATURES, "--request-id", "weekly-7")
    first, second = (json.loads(maie(*submit).stdout) for _ in range(2))
    assert first["job_id"] == second["job_id"]
    other = maie(*submit, "--feature", "enhancement_metrics")
    assert other.returncode == 2
    assert first["job_id"] in other.stderr


def test_a_complete_job_is_not_retried(maie: Run, job_id: str) -> None:
    refused = maie("jobs", "retry", job_id)
    assert refused.returncode == 2
    assert refused.stderr.count("error: ") == 1


def test_a_bad_recording_is_a_dead_letter_that_can_be_replayed(maie: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"not a recording at all" * 100)
    failed = json.loads(maie("process", broken, "--json", *FEATURES).stdout)
    done = maie("dead-letters", "list", "--job", failed["job_id"], "--json")
    (letter,) = map(json.loads, done.stdout.splitlines())
    assert letter["unit"] == "preprocess"
    replayed = maie("dead-letters", "replay", letter["letter_id"])
    assert replayed.returncode == 0, replayed.stderr
    assert maie("jobs", "watch", failed["job_id"]).returncode == 2


def test_a_deleted_job_is_gone(maie: Run, job_id: str) -> None:
    assert maie("jobs", "delete", job_id).returncode == 0
    gone = maie("jobs", "show", job_id)
    assert gone.returncode == 2
    assert job_id in gone.stderr
    assert ids(maie("jobs", "list", "--json", "--label", "team=search")) == []
    assert job_id not in maie("search", "release", "--json").stdout
