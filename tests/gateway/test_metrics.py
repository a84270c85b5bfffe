"""Figures about a job."""

from __future__ import annotations

import pytest

from maie.common.v1 import types_pb2 as common
from maie_gateway.views.transcript import transcript_metrics

pytestmark = pytest.mark.unit


def test_texts_that_nobody_spoke_are_counted_over_all_chunks() -> None:
    loop = common.SuspectText(reason=common.SUSPECT_REASON_REPETITION, removed=True)
    noise = common.SuspectText(reason=common.SUSPECT_REASON_NON_SPEECH, removed=False)
    transcripts = [
        common.Transcript(suspect_texts=[loop, noise]),
        common.Transcript(),
        common.Transcript(suspect_texts=[loop]),
    ]
    metrics = transcript_metrics(transcripts)
    assert metrics.suspect_text_count == 3
    assert metrics.removed_text_count == 2


def test_segments_that_stayed_as_they_were_said_are_counted_over_all_chunks() -> None:
    transcripts = [
        common.Transcript(kept_segment_ids=["c0000-s0000", "c0000-s0004"]),
        common.Transcript(),
        common.Transcript(kept_segment_ids=["c0002-s0001"]),
    ]
    assert transcript_metrics(transcripts).kept_segment_count == 3


def test_speech_without_text_is_measured_over_all_chunks() -> None:
    unread = common.TimeRange()
    unread.end_offset.FromMilliseconds(1500)
    transcripts = [
        common.Transcript(unread=[unread], reread_count=2),
        common.Transcript(),
        common.Transcript(unread=[unread], reread_count=1),
    ]
    metrics = transcript_metrics(transcripts)
    assert metrics.unread_duration.ToMilliseconds() == 3000
    assert metrics.reread_count == 3
    assert not transcript_metrics([]).HasField("unread_duration")
