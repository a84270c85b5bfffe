"""Text that was probably never spoken: what counts as such."""

from __future__ import annotations

import pytest

from maie.common.v1 import types_pb2 as common
from maie_asr.engine import SAMPLE_RATE, RecognizedSegment, SpeechRange
from maie_asr.settings import SuspectTextSettings
from maie_asr.suspects import SuspectFinder

pytestmark = pytest.mark.unit

FINE = common.SUSPECT_REASON_UNSPECIFIED
LOOP = common.SUSPECT_REASON_REPETITION
NOBODY = common.SUSPECT_REASON_NON_SPEECH
HOUR = (SpeechRange(start=0, end=3600 * SAMPLE_RATE),)


def said(text: str, start: float = 0.0, end: float = 5.0) -> RecognizedSegment:
    return RecognizedSegment(text=text, start=start, end=end, language="en")


def judge(text: str) -> common.SuspectReason:
    return SuspectFinder(SuspectTextSettings(max_repeats=4), HOUR).judge(said(text))


@pytest.mark.parametrize(
    "text",
    [
        "Thank you. " * 5,
        "I think we should " + "go to the " * 6,
        "no " * 5,
        "ご視聴ありがとうございました" * 5,
    ],
)
def test_a_phrase_in_a_loop_is_suspect(text: str) -> None:
    assert judge(text) == LOOP


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No, no, no, no.",
        "Thank you. Thank you. Thank you. Thank you.",
        "The project is on schedule and the budget was approved last week.",
        # A loop within much else is not thrown away with it.
        "It went knock knock knock knock knock and then somebody opened the door and let us in.",
        "The meeting of the board of the company of the year.",
        "会議は来週の水曜日に延期されましたので予定を変更してください",
    ],
)
def test_what_people_say_is_not(text: str) -> None:
    assert judge(text) == FINE


def test_segments_that_repeat_each_other_are_suspect_from_the_one_too_many() -> None:
    finder = SuspectFinder(SuspectTextSettings(max_repeats=2), HOUR)
    texts = ["Thank you.", "Thank you.", "thank you", "Thank you!", "Good bye.", "Thank you."]
    assert [finder.judge(said(text)) for text in texts] == [FINE, FINE, LOOP, LOOP, FINE, FINE]


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [(0.0, 4.0, FINE), (4.5, 6.5, FINE), (5.5, 9.5, FINE), (7.0, 9.0, NOBODY), (5.9, 9.0, NOBODY)],
)
def test_text_must_lie_where_somebody_speaks(
    start: float, end: float, reason: common.SuspectReason
) -> None:
    ranges = (
        SpeechRange(start=0, end=4 * SAMPLE_RATE),
        SpeechRange(start=5 * SAMPLE_RATE, end=6 * SAMPLE_RATE),
    )
    finder = SuspectFinder(SuspectTextSettings(), ranges)
    assert finder.judge(said("Thank you.", start, end)) == reason


def test_a_segment_without_length_lies_within_speech_or_not() -> None:
    finder = SuspectFinder(SuspectTextSettings(), (SpeechRange(start=0, end=SAMPLE_RATE),))
    assert finder.judge(said("Yes.", 0.5, 0.5)) == FINE
    assert finder.judge(said("No.", 1.5, 1.5)) == NOBODY


def test_the_share_of_speech_can_be_let_go() -> None:
    finder = SuspectFinder(SuspectTextSettings(min_speech_share=0), ())
    assert finder.judge(said("Anything.")) == FINE
