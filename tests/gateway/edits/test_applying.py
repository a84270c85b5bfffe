"""Corrections change what they name, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import given
from hypothesis import strategies as st

from maie.common.v1 import types_pb2 as common
from maie.edit.v1 import edit_pb2 as edit
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_gateway.edits.applying import apply_edits, changed_segments
from maie_gateway.edits.pieces import from_pieces, to_pieces
from tests.gateway.edits.segments import at, correction, seconds, segment

pytestmark = pytest.mark.unit

BASE = [
    segment(0, "we ship on friday", clean="We ship on Friday."),
    segment(1, "all agree", start=4, clean="All agree."),
    segment(2, "thank you", start=6, clean="Thank you."),
]


def test_a_corrected_text_is_in_place_of_both_texts() -> None:
    first, *rest = apply_edits(BASE, [correction([0], "We ship on  Thursday.")], 1)
    assert (first.text, first.clean_text) == ("We ship on Thursday.",) * 2
    assert [word.word for word in first.words] == ["We", "ship", "on", "Thursday."]
    assert [word.HasField("confidence") for word in first.words] == [True, True, True, False]
    assert not first.HasField("confidence")
    assert (first.segment_id, seconds(first)) == ("c0000-s0000", (0, 4))
    assert rest == BASE[1:]


def test_a_split_follows_the_words() -> None:
    first, second, *_ = apply_edits(BASE, [correction([0], "We ship", "on Friday.")], 3)
    assert (seconds(first), seconds(second)) == ((0, 2), (2, 4))
    assert (first.segment_id, second.segment_id) == ("c0000-s0000", "c0000-s0000-r3.1")


def test_splits_of_splits_have_new_ids() -> None:
    once = apply_edits(BASE, [correction([0], "We ship", "on Friday.")], 1)
    again = edit.SegmentEdit(
        segment_ids=["c0000-s0000-r1.1"],
        segments=[edit.EditedSegment(text="on"), edit.EditedSegment(text="Friday.")],
    )
    twice = apply_edits(once, [correction([0], "We", "ship"), again], 2)
    assert [each.segment_id for each in twice[:4]] == [
        "c0000-s0000",
        "c0000-s0000-r2.1",
        "c0000-s0000-r1.1",
        "c0000-s0000-r2.2",
    ]


def test_joined_segments_are_one_of_the_whole_time() -> None:
    joined, last = apply_edits(BASE, [correction([0, 1], "We ship on Friday. All agree.")], 1)
    assert (joined.segment_id, seconds(joined)) == ("c0000-s0000", (0, 6))
    assert [word.confidence for word in joined.words] == [0.5] * 6
    assert last == BASE[2]


def test_a_boundary_is_moved_between_two() -> None:
    moved = correction([0, 1], "We ship on", "Friday. All agree.")
    moved.segments[1].start_offset.CopyFrom(at(2.5))
    first, second, _ = apply_edits(BASE, [moved], 1)
    assert (seconds(first), seconds(second)) == ((0, 2.5), (2.5, 6))
    assert first.words[-1].end_offset == at(2.5)


def test_a_segment_is_removed() -> None:
    assert apply_edits(BASE, [correction([1])], 1) == [BASE[0], BASE[2]]


def test_without_word_times_there_are_none_after() -> None:
    base = [segment(0, "aa bb", clean="Aa bb", timed=False)]
    first, second = apply_edits(base, [correction([0], "Aa", "bb")], 1)
    assert not first.words
    assert (seconds(first), seconds(second)) == ((0, 1), (1, 2))


def test_a_boundary_alone_keeps_what_the_recogniser_wrote() -> None:
    narrower = correction([1], "All agree.")
    narrower.segments[0].end_offset.CopyFrom(at(5.5))
    after = apply_edits(BASE, [narrower], 1)[1]
    assert (after.text, after.clean_text, after.confidence) == ("all agree", "All agree.", 0.5)
    assert seconds(after) == (4, 5.5)


def _times(begin: float, end: float) -> edit.SegmentEdit:
    made = correction([1], "all agree")
    made.segments[0].start_offset.CopyFrom(at(begin))
    made.segments[0].end_offset.CopyFrom(at(end))
    return made


REFUSED: dict[str, Callable[[], list[edit.SegmentEdit]]] = {
    "nothing": list,
    "no segment": lambda: [correction([], "text")],
    "an unknown segment": lambda: [correction([9], "text")],
    "the same segment twice": lambda: [correction([0], "a"), correction([0], "b")],
    "segments that do not follow each other": lambda: [correction([0, 2], "a")],
    "segments in another order": lambda: [correction([1, 0], "a")],
    "an empty text": lambda: [correction([0], " \n ")],
    "a long text": lambda: [correction([0], "a" * 10_001)],
    "a control character": lambda: [correction([0], "a\x00b")],
    "a mark of direction": lambda: [correction([0], "a\u202eb")],
    "a beginning before all": lambda: [_times(3.9, 5)],
    "an end after all": lambda: [_times(4, 6.1)],
    "an end before the beginning": lambda: [_times(5, 4.5)],
    "an empty span": lambda: [_times(5, 5)],
    "too many corrections": lambda: [correction([0], "a")] * 5001,
    "too many segments": lambda: [correction([0], *["a"] * 101)],
}


@pytest.mark.parametrize("edits", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused(edits: Callable[[], list[edit.SegmentEdit]]) -> None:
    with pytest.raises(StageError) as refused:
        apply_edits(BASE, edits(), 1)
    assert refused.value.reason == Reason.EDIT_INVALID
    assert refused.value.field.startswith("edits")


def test_segments_of_two_channels_are_not_joined() -> None:
    base = [segment(0, "one", channel=1), segment(1, "two", start=1, channel=2)]
    with pytest.raises(StageError):
        apply_edits(base, [correction([0, 1], "one two")], 1)


TEXTS = st.lists(
    st.sampled_from(["We ship", "on Friday.", "x", "All agree, thank you."]), max_size=4
)


@st.composite
def corrections(draw: st.DrawFn) -> list[edit.SegmentEdit]:
    """Corrections of BASE."""
    names = draw(st.sampled_from([[[0]], [[1]], [[0], [2]], [[0, 1]], [[1, 2]], [[0, 1, 2]]]))
    return [correction(each, *draw(TEXTS)) for each in names]


@given(corrections())
def test_words_stay_within_their_segments_and_in_order(edits: list[edit.SegmentEdit]) -> None:
    after = apply_edits(BASE, edits, 1)
    assert len({each.segment_id for each in after}) == len(after)
    last = 0
    for each in after:
        times = [each.start_offset, *_word_times(each), each.end_offset]
        found = [last, *(time.ToNanoseconds() for time in times)]
        assert found == sorted(found)
        assert [word.word for word in each.words] == each.text.split()
        last = found[-1]


def _word_times(of: common.Segment) -> list[Duration]:
    return [time for word in of.words for time in (word.start_offset, word.end_offset)]


@given(corrections())
def test_what_is_stored_is_what_was_saved(edits: list[edit.SegmentEdit]) -> None:
    after = apply_edits(BASE, edits, 1)
    stored = to_pieces(after, BASE)
    assert from_pieces(stored, BASE) == after
    assert sum(piece.HasField("edited") for piece in stored.pieces) <= changed_segments(BASE, after)


def test_runs_of_what_was_made_are_one_piece() -> None:
    after = apply_edits(BASE, [correction([0], "changed")], 1)
    assert [piece.made.count for piece in to_pieces(after, BASE).pieces] == [0, 2]
