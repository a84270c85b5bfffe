"""Each word gets its speaker, and segments end where the speaker changes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie_core.durations import duration, seconds
from maie_diarization.merge import with_speakers
from tests.diarization.messages import segment, spoken

pytestmark = pytest.mark.unit


def merged(made: diarization.Diarization, *segments: common.Segment) -> common.Transcript:
    return with_speakers(common.Transcript(segments=segments, punctuated=True), made)


def lines(transcript: common.Transcript) -> list[str]:
    return [f"{each.speaker}: {each.text}" for each in transcript.segments]


def test_a_segment_is_split_where_the_speaker_changes() -> None:
    said = segment(("Well,", 0.0, 0.4), ("done?", 0.4, 0.9), ("Yes.", 1.2, 1.5), ("Fine.", 2, 2.4))
    made = merged(spoken(("S1", 0.0, 1.0), ("S2", 1.1, 1.6), ("S1", 1.9, 2.5)), said)
    assert lines(made) == ["S1: Well, done?", "S2: Yes.", "S1: Fine."]
    assert [each.segment_id for each in made.segments] == [
        *("c0000-s0000", "c0000-s0000-p2", "c0000-s0000-p3")
    ]
    times = [(seconds(each.start_offset), seconds(each.end_offset)) for each in made.segments]
    assert times == [(0.0, 0.9), (1.2, 1.5), (2.0, 2.4)]
    assert made.punctuated


def test_a_word_across_two_turns_is_of_who_speaks_most_of_it() -> None:
    said = segment(("one", 0.0, 0.5), ("two", 0.8, 1.2))
    assert lines(merged(spoken(("S1", 0.0, 0.9), ("S2", 0.9, 2.0)), said)) == ["S1: one", "S2: two"]
    assert lines(merged(spoken(("S1", 0.0, 1.1), ("S2", 1.1, 2.0)), said)) == ["S1: one two"]


def test_who_spoke_before_goes_on_where_two_speak_alike() -> None:
    said = segment(("one", 0.0, 0.5), ("both", 1.0, 1.5))
    made = merged(spoken(("S2", 0.0, 1.5), ("S1", 0.9, 2.0)), said)
    assert lines(made) == ["S2: one both"]
    assert [word.overlapped for word in made.segments[0].words] == [False, True]
    assert made.segments[0].overlapped


def test_a_word_in_a_pause_is_of_the_turn_within_half_a_second_or_else_of_the_word_before() -> None:
    turns = spoken(("S1", 0.0, 1.0), ("S2", 5.0, 6.0))
    said = segment(("a", 0.1, 0.5), ("b", 4.6, 4.8), ("c", 5.1, 5.5))
    assert lines(merged(turns, said)) == ["S1: a", "S2: b c"]
    said = segment(("a", 0.1, 0.5), ("b", 3.0, 3.2), ("c", 5.1, 5.5))
    assert lines(merged(turns, said)) == ["S1: a b", "S2: c"]
    said = segment(("far", 2.5, 2.6), ("away", 2.6, 2.7))
    assert lines(merged(turns, said)) == ["S1: far away"]


def test_numbers_and_punctuation_keep_the_speaker_of_their_words() -> None:
    turns = spoken(("S1", 0.0, 1.0), ("S2", 1.0, 2.0))
    said = segment(("cost", 0.2, 0.6), ("1,000", 0.6, 1.0), ("-", 1.0, 1.2), ("€", 1.3, 1.6))
    assert lines(merged(turns, said)) == ["S1: cost 1,000 - €"]
    said = segment(("-", 0.9, 0.9), ("and", 1.2, 1.6))
    assert lines(merged(turns, said)) == ["S2: - and"]


def test_a_channel_is_its_speaker_whatever_is_said_on_others() -> None:
    turns = spoken(("S1", 0.0, 9.0), ("S2", 4.0, 5.0), channels=(2, 1))
    left = segment(("hello", 0.0, 0.5), ("there", 8.0, 8.5), channel=1)
    right = segment(("hi", 4.2, 4.6), segment_id="c0001-s0000", channel=2)
    assert lines(merged(turns, left, right)) == ["S2: hello there", "S1: hi"]


def test_a_segment_without_words_is_of_who_speaks_most_in_it() -> None:
    said = segment(("never shown", 0.0, 3.0))
    del said.words[:]
    made = merged(spoken(("S1", 0.0, 1.0), ("S2", 1.0, 3.0)), said)
    assert lines(made) == ["S2: never shown"]


def test_text_without_spaces_is_cut_between_its_words() -> None:
    said = segment(("你好", 0.0, 0.5), ("再见", 1.0, 1.5))
    said.text = "你好再见"
    assert lines(merged(spoken(("S1", 0, 0.7), ("S2", 0.9, 2)), said)) == ["S1: 你好", "S2: 再见"]


def test_text_that_is_not_its_words_is_made_of_them() -> None:
    said = segment(("one", 0.0, 0.5), ("two", 1.0, 1.5))
    said.text = "uno due"
    assert lines(merged(spoken(("S1", 0, 0.7), ("S2", 0.9, 2)), said)) == ["S1: one", "S2: two"]


def test_nobody_is_named_where_nobody_is_known() -> None:
    said = segment(("hello", 0.0, 0.5))
    (found,) = merged(diarization.Diarization(), said).segments
    assert not found.HasField("speaker")
    assert not found.words[0].HasField("speaker")


times = st.integers(0, 400).map(lambda tenth: tenth / 10)
turn = st.tuples(st.sampled_from(["S1", "S2", "S3"]), times, times).filter(lambda t: t[1] < t[2])
word = st.tuples(st.sampled_from(["so", "then", "the", "-", "7", "no,"]), times)


@given(
    st.lists(turn, min_size=1, max_size=8).map(lambda turns: sorted(turns, key=lambda t: t[1])),
    st.lists(word, min_size=1, max_size=20).map(lambda words: sorted(words, key=lambda w: w[1])),
)
def test_every_word_is_kept_once_and_has_a_speaker(
    turns: list[tuple[str, float, float]], words: list[tuple[str, float]]
) -> None:
    said = segment(*((text, start, start + 0.1) for text, start in words))
    parts = merged(spoken(*turns), said).segments
    assert [(w.word, w.start_offset) for part in parts for w in part.words] == [
        (text, duration(start)) for text, start in words
    ]
    assert " ".join(part.text for part in parts) == said.text
    assert all({word.speaker for word in part.words} == {part.speaker} for part in parts)
    assert all(one.speaker != other.speaker for one, other in pairwise(parts))
    assert len({part.segment_id for part in parts}) == len(parts)
    assert parts[0].start_offset == said.start_offset
    assert parts[-1].end_offset == said.end_offset
