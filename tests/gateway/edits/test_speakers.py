"""Who speaks in corrected segments."""

from __future__ import annotations

import pytest

from maie.common.v1 import types_pb2 as common
from maie.edit.v1 import edit_pb2 as edit
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.durations import seconds
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_gateway.edits.applying import apply_edits
from maie_gateway.views.speakers import correct_speakers
from tests.gateway.edits.segments import correction, segment

pytestmark = pytest.mark.unit


def said(by: str, number: int, text: str, start: float, *, timed: bool = True) -> common.Segment:
    """A segment of a speaker."""
    made = segment(number, text, start=start, timed=timed)
    made.speaker = by
    for word in made.words:
        word.speaker = by
    return made


BASE = [said("S1", 0, "we ship on friday", 0), said("S2", 1, "all agree", 4)]


def spoken(numbers: list[int], *parts: tuple[str, str]) -> edit.SegmentEdit:
    """A correction of texts and speakers."""
    made = correction(numbers, *(text for _, text in parts))
    for each, (speaker, _) in zip(made.segments, parts, strict=True):
        each.speaker = speaker
    return made


def speakers(of: common.Segment) -> tuple[str, list[str]]:
    """The speaker of a segment, and those of its words."""
    return of.speaker, [word.speaker for word in of.words]


def test_a_segment_and_its_words_get_another_speaker_and_keep_their_text() -> None:
    after, same = apply_edits(BASE, [spoken([0], ("S2", "we ship on friday"))], 1)
    assert speakers(after) == ("S2", ["S2"] * 4)
    assert (after.text, after.confidence) == (BASE[0].text, BASE[0].confidence)
    assert same == BASE[1]


def test_the_second_part_of_a_split_gets_a_new_speaker() -> None:
    split = spoken([0], ("S1", "we ship"), ("S3", "on friday"))
    first, second, _ = apply_edits(BASE, [split], 1)
    assert (speakers(first), speakers(second)) == (("S1", ["S1"] * 2), ("S3", ["S3"] * 2))


def test_words_keep_their_speaker_and_new_ones_have_that_of_what_they_replace() -> None:
    joined = correction([0, 1], "we ship on Thursday at noon all disagree now")
    (after,) = apply_edits(BASE, [joined], 1)
    assert speakers(after) == ("S1", [*["S1"] * 6, *["S2"] * 3])


def test_a_segment_follows_the_speaker_of_most_of_its_words() -> None:
    first, second = apply_edits(BASE, [correction([0, 1], "we", "ship on friday all agree")], 1)
    assert (first.speaker, second.speaker) == ("S1", "S1")
    (short,) = apply_edits(BASE, [correction([0, 1], "friday all agree")], 1)
    assert speakers(short) == ("S2", ["S1", "S2", "S2"])


def test_what_nobody_asked_for_stays_absent_in_a_correction() -> None:
    (after,) = apply_edits([segment(0, "we ship", start=0)], [correction([0], "we shipped")], 1)
    assert not after.HasField("speaker")
    assert not any(each.HasField("overlapped") for each in (after, *after.words))
    assert after.words


def test_overlapped_words_stay_so() -> None:
    base = [said("S1", 0, "we ship on friday", 0)]
    base[0].overlapped = base[0].words[3].overlapped = True
    first, second = apply_edits(base, [correction([0], "We ship", "on Monday.")], 1)
    assert (first.overlapped, second.overlapped) == (False, True)
    assert [word.overlapped for word in second.words] == [False, True]


def test_segments_without_word_times_keep_their_speaker() -> None:
    base = [said("S1", 0, "aa bb", 0, timed=False)]
    first, second = apply_edits(base, [spoken([0], ("S1", "aa"), ("S2", "cc"))], 1)
    assert (first.speaker, second.speaker, len(second.words)) == ("S1", "S2", 0)


def test_a_speaker_that_was_corrected_away_may_speak_again() -> None:
    alone = apply_edits(BASE, [spoken([1], ("S1", "all agree"))], 1)
    again = [spoken([1], ("S2", "all agree"))]
    assert apply_edits(alone, again, 2, BASE)[1].speaker == "S2"


@pytest.mark.parametrize("speaker", ["", "S0", "S4", "Anna", "s1"])
def test_nobody_else_speaks(speaker: str) -> None:
    with pytest.raises(StageError) as refused:
        apply_edits(BASE, [spoken([0], (speaker, "text"))], 1)
    assert refused.value.reason == Reason.EDIT_INVALID
    assert refused.value.field == "edits[0].segments[0].speaker"


def test_several_new_speakers_are_numbered_on() -> None:
    after = apply_edits(BASE, [spoken([0], ("S3", "a")), spoken([1], ("S4", "b"))], 1)
    assert [each.speaker for each in after] == ["S3", "S4"]


def test_without_speakers_there_are_none_after() -> None:
    with pytest.raises(StageError):
        apply_edits([segment(0, "a")], [spoken([0], ("S1", "a"))], 1)
    (after,) = apply_edits([segment(0, "a")], [correction([0], "b")], 1)
    assert not after.HasField("speaker")
    assert not after.words[0].HasField("speaker")


def test_the_speakers_of_a_corrected_transcript_are_those_of_its_segments() -> None:
    shown = job.Job()
    shown.results.speakers.add(speaker="S1", channel=1).speech_duration.seconds = 9
    shown.results.speakers.add(speaker="S2", channel=2).speech_duration.seconds = 9
    shown.results.segments.extend(
        apply_edits(BASE, [spoken([1], ("S3", "all agree"))], 1),
    )
    correct_speakers(shown, record.JobRecord(speaker_names={"S3": "Anna"}))
    assert [
        (each.speaker, each.name, each.channel, seconds(each.speech_duration))
        for each in shown.results.speakers
    ] == [("S1", "", 1, 4), ("S2", "", 2, 0), ("S3", "Anna", 0, 2)]
