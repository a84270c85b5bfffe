"""Transcripts come in pages that fit a model, whole and by times."""

from __future__ import annotations

from pathlib import Path

import pytest
from mcp.server.mcpserver.exceptions import ToolError

from maie.job.v1 import job_pb2 as job
from maie_mcp.folders import Folders
from maie_mcp.views import PAGE_CHARACTERS, transcript

pytestmark = pytest.mark.unit
FOUR_HOURS = 4 * 3600


def long_job(step: int = 5) -> job.Job:
    """Four hours of speech: a sentence each five seconds, with a pause before each minute."""
    made = job.Job(job_id="j", state=job.JOB_STATE_COMPLETE)
    made.results.clean_transcript = "whole"
    for second in range(0, FOUR_HOURS, step):
        text = f"Sentence of second {second}, and some more words to fill the line."
        segment = made.results.segments.add(text=text)
        segment.start_offset.FromSeconds(second)
        segment.end_offset.FromSeconds(second + (1 if second % 60 == 60 - step else step))
    return made


def test_four_hours_are_pages_without_a_gap_or_a_repetition() -> None:
    made = long_job()
    count = transcript(made, 0, None, 1).pages
    texts = [transcript(made, 0, None, page).text for page in range(1, count + 1)]
    assert 5 < count < 20
    assert all(len(text) <= PAGE_CHARACTERS for text in texts)
    whole = "\n\n".join(texts)
    for second in range(0, FOUR_HOURS, 5):
        assert whole.count(f"second {second},") == 1
    assert texts[0].startswith("[00:00] Sentence of second 0,")
    assert "[3:59:00] " in texts[-1]


def test_a_range_has_what_begins_in_it() -> None:
    found = transcript(long_job(), 600, 720, 1)
    assert found.pages == 1
    assert [line[:7] for line in found.text.split("\n\n")] == [
        "[10:00]",
        "[10:50]",
        "[11:00]",
        "[11:50]",
    ]
    assert transcript(long_job(), FOUR_HOURS, None, 1).pages == 0


def test_a_transcript_without_times_is_there_as_a_whole() -> None:
    made = job.Job(results=job.JobResults(raw_transcript="All of it."))
    assert transcript(made, 0, None, 1).text == "All of it."


def test_each_paragraph_says_who_speaks() -> None:
    made = job.Job()
    for second, (speaker, name) in enumerate((("S1", "Anna"), ("S2", ""))):
        made.results.segments.add(text="Hello.", speaker=speaker).start_offset.seconds = second
        made.results.speakers.add(speaker=speaker, name=name).speech_duration.seconds = 3 - second
    found = transcript(made, 0, None, 1)
    assert found.text == "[00:00] Anna: Hello.\n\n[00:01] Speaker 2: Hello."
    assert found.speakers == ["Anna (60%)", "Speaker 2 (40%)"]


def test_only_files_of_allowed_folders_are_there(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "a.wav").write_bytes(b"sound")
    (inside / "out").symlink_to(outside)
    (inside / "link.wav").symlink_to(outside / "a.wav")
    folders = Folders([inside])
    assert folders.file("a.wav") == folders.file(str(inside / "a.wav")) == inside / "a.wav"
    for path in (
        str(outside / "a.wav"),
        "../outside/a.wav",
        "out/a.wav",
        "link.wav",
        "none.wav",
        ".",
        "",
        "a\0b",
        "~nobody-has-this-name/a.wav",
    ):
        with pytest.raises(ToolError, match="no such file"):
            folders.file(path)
    assert not Folders([])
