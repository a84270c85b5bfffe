"""Whose voice the segments are that a person chose."""

from __future__ import annotations

import pytest

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie_core.durations import duration, time_range
from maie_gateway.voices.embeddings import pack, unpack
from maie_gateway.voices.segments import heard_in
from tests.diarization.messages import spoken

pytestmark = pytest.mark.unit

WINDOW = (0, 10)
ANNA, BEN = pack((1.0, 0.0)), pack((0.0, 1.0))


def voice(embedding: bytes, clean: float, *turns: tuple[float, float]) -> diarization.Voice:
    return diarization.Voice(
        turns=[time_range(*turn) for turn in turns],
        embedding=embedding,
        clean_duration=duration(clean),
        window=time_range(*WINDOW) if turns[0][0] < WINDOW[1] else time_range(10, 20),
    )


def segment(start: float, end: float) -> common.Segment:
    return common.Segment(start_offset=duration(start), end_offset=duration(end))


def test_a_voice_counts_by_what_of_it_is_chosen() -> None:
    turns = spoken(("S1", 0, 10), ("S2", 10, 20)).turns
    voices = [voice(ANNA, 4, (0, 5)), voice(BEN, 5, (10, 15)), voice(ANNA, 5, (5, 10))]
    found, clean = heard_in([segment(0, 2.5)], voices, turns)
    assert (found, clean) == (unpack(ANNA), 2)
    found, clean = heard_in([segment(0, 10)], voices, turns)
    assert (found, clean) == (unpack(ANNA), 9)


def test_what_others_say_within_a_segment_does_not_count() -> None:
    turns = spoken(("S1", 0, 10), ("S2", 4, 5)).turns
    voices = [voice(ANNA, 8, (0, 10)), voice(BEN, 1, (4, 5))]
    assert heard_in([segment(0, 10)], voices, turns) == (unpack(ANNA), 8)


def test_a_segment_counts_for_who_speaks_most_of_it_whatever_it_was_called() -> None:
    """Where people corrected the speaker, the voices are those that are in the segments."""
    turns = spoken(("S1", 0, 5), ("S2", 5, 10)).turns
    voices = [voice(ANNA, 5, (0, 5)), voice(BEN, 5, (5, 10))]
    assert heard_in([segment(5, 10)], voices, turns) == (unpack(BEN), 5)


def test_speech_that_several_windows_have_counts_once() -> None:
    turns = spoken(("S1", 0, 5)).turns
    voices = [voice(ANNA, 5, (0, 5)), voice(ANNA, 5, (0, 5))]
    assert heard_in([segment(0, 5)], voices, turns)[1] == 5


def test_nobody_is_heard_in_silence_or_where_all_speak_at_once() -> None:
    turns = spoken(("S1", 0, 5)).turns
    voices = [voice(b"", 0, (0, 5))]
    assert heard_in([segment(0, 5)], voices, turns) == (None, 0)
    assert heard_in([segment(7, 9)], voices, turns) == (None, 0)
