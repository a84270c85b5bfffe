"""What a person sees of a job while it runs."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_cli.views import SilentView, WithText

pytestmark = pytest.mark.unit


def printed(*segments: tuple[str, int, str]) -> list[str]:
    """The lines that are printed for segments: id, start in seconds, text."""
    lines = io.StringIO()
    view = WithText(SilentView(), Console(file=lines))
    for segment_id, start, text in segments:
        segment = common.Segment(segment_id=segment_id, text=text)
        segment.start_offset.FromSeconds(start)
        view.show("talk.wav", job.JobEvent(segment=segment))
    return lines.getvalue().splitlines()


def test_text_is_shown_once_however_often_a_segment_comes() -> None:
    again = ("c0000-s0001", 3, "Good morning.")
    other = ("c0000-s0002", 65, "Hello.")
    assert printed(again, other, again) == ["[00:03] Good morning.", "[01:05] Hello."]


def test_a_segment_that_is_split_by_speakers_is_not_shown_again() -> None:
    whole = ("c0000-s0012", 51, "So, Michael will move the database.")
    parts = [("c0000-s0012", 51, "So,"), ("c0000-s0012-p2", 52, "Michael will move the database.")]
    assert printed(whole, *parts) == ["[00:51] So, Michael will move the database."]
    # Where the whole never came, such as after a broken connection.
    assert printed(*parts) == ["[00:51] So,", "[00:52] Michael will move the database."]
