"""The warnings of a job's results, and how many there are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from maie.common.v1 import types_pb2 as common
from maie_core.reasons import WarningReason
from maie_core.result_warnings import result_warning
from maie_gateway.views.warnings import (
    MAX_PER_REASON,
    bounded,
    suspect_texts,
    transcript_warnings,
    unread_duration,
    unread_ranges,
)

pytestmark = pytest.mark.unit


def span(start: float, end: float) -> common.TimeRange:
    made = common.TimeRange()
    made.start_offset.FromTimedelta(timedelta(seconds=start))
    made.end_offset.FromTimedelta(timedelta(seconds=end))
    return made


def seconds(of: common.TimeRange) -> tuple[float, float]:
    return (of.start_offset.ToNanoseconds() / 1e9, of.end_offset.ToNanoseconds() / 1e9)


def told(warnings: list[common.Warning]) -> list[tuple[str, float, float]]:
    return [(each.reason, *seconds(each.range)) for each in warnings]


def suspect(start: float, end: float, *, removed: bool) -> common.SuspectText:
    return common.SuspectText(
        range=span(start, end),
        text="thank you for watching",
        reason=common.SUSPECT_REASON_NON_SPEECH,
        removed=removed,
    )


def test_unread_speech_and_removed_text_are_told_in_recording_order() -> None:
    transcripts = [
        common.Transcript(
            unread=[span(20, 24), span(3, 5)],
            suspect_texts=[suspect(10, 12, removed=True), suspect(13, 14, removed=False)],
        ),
        common.Transcript(unread=[span(61, 63.5)], reread_count=2),
    ]
    assert told(transcript_warnings(transcripts)) == [
        ("UNREAD_SPEECH", 3, 5),
        ("TEXT_REMOVED", 10, 12),
        ("UNREAD_SPEECH", 20, 24),
        ("UNREAD_SPEECH", 61, 63.5),
    ]
    assert [seconds(each) for each in unread_ranges(transcripts)] == [(3, 5), (20, 24), (61, 63.5)]
    assert [each.removed for each in suspect_texts(transcripts)] == [True, False]
    assert unread_duration(transcripts) == timedelta(seconds=8.5)


def test_no_warning_holds_what_was_said() -> None:
    found = transcript_warnings([common.Transcript(suspect_texts=[suspect(1, 2, removed=True)])])
    assert [dict(each.metadata) for each in found] == [{"cause": "NON_SPEECH"}]
    assert "thank" not in str(found)


def test_a_complete_transcript_has_no_warning() -> None:
    kept = common.Transcript(suspect_texts=[suspect(13, 14, removed=False)])
    assert transcript_warnings([kept, common.Transcript()]) == []


def test_ranges_that_touch_are_one_warning() -> None:
    transcripts = [
        common.Transcript(unread=[span(50, 60)]),
        common.Transcript(unread=[span(60, 62), span(61, 64), span(64.2, 65)]),
    ]
    assert told(transcript_warnings(transcripts)) == [
        ("UNREAD_SPEECH", 50, 64),
        ("UNREAD_SPEECH", 64.2, 65),
    ]


def test_a_long_recording_has_few_warnings_that_cover_all_of_it() -> None:
    many = [common.Transcript(unread=[span(5 * i, 5 * i + 2)]) for i in range(10_000)]
    many[7].suspect_texts.append(suspect(37.5, 38, removed=True))
    found = transcript_warnings(many)
    unread = [each for each in found if each.reason == "UNREAD_SPEECH"]
    assert len(unread) == MAX_PER_REASON
    assert len(found) == MAX_PER_REASON + 1
    assert seconds(unread[-1].range) == (5 * (MAX_PER_REASON - 1), 49_997)
    assert str(10_000 - MAX_PER_REASON + 1) in unread[-1].message
    assert [dict(each.metadata) for each in unread[-2:]] == [{}, {"more": "9981"}]
    assert len(unread_ranges(many)) == 10_000


def test_as_many_as_are_shown_are_shown_one_by_one() -> None:
    gaps = [
        result_warning(WarningReason.GAP, "The recording has a gap here.", span(2 * i, 2 * i + 1))
        for i in range(MAX_PER_REASON)
    ]
    assert bounded(gaps) == gaps


def test_warnings_of_the_whole_recording_are_told_once_for_each_sentence() -> None:
    tracks = result_warning(WarningReason.OTHER_TRACKS, "There is another track, in French.")
    others = result_warning(WarningReason.OTHER_TRACKS, "There is another track, in German.")
    assert bounded([tracks, others, tracks]) == [tracks, others]


def test_a_warning_of_all_is_never_narrowed_to_a_range() -> None:
    everywhere = [
        result_warning(WarningReason.CLIPPING, f"Loud {i}.", span(i, i + 0.5)) for i in range(50)
    ]
    everywhere.append(result_warning(WarningReason.CLIPPING, "Loud everywhere."))
    assert not bounded(everywhere)[-1].HasField("range")
