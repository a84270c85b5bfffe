"""Turns of speakers, from windows that overlap."""

from __future__ import annotations

import pytest

from maie_diarization.clustering import SpeakerTurn, turns
from tests.diarization.voices import voice

pytestmark = pytest.mark.unit


def test_voices_of_windows_that_overlap_are_one_turn() -> None:
    voices = [voice(0, 0.0, (1.0, 5.0)), voice(0, 2.0, (2.0, 6.5)), voice(0, 4.0, (4.0, 6.5))]

    assert turns(voices, [0, 0, 0]) == [SpeakerTurn(start=1.0, end=6.5, speaker=0)]


def test_most_windows_decide_when_somebody_speaks() -> None:
    voices = [voice(0, 0.0, (1.0, 4.0)), voice(0, 0.1, (1.0, 4.0)), voice(0, 0.2, (2.0, 4.9))]

    assert turns(voices, [0, 0, 0]) == [SpeakerTurn(start=1.0, end=4.0, speaker=0)]


def test_most_windows_decide_who_speaks() -> None:
    voices = [voice(0, 0.0, (1.0, 4.0)), voice(0, 0.1, (1.0, 4.0)), voice(1, 0.2, (1.0, 4.0))]

    assert turns(voices, [0, 0, 1]) == [SpeakerTurn(start=1.0, end=4.0, speaker=0)]


def test_two_who_speak_at_once_both_have_a_turn() -> None:
    voices = [voice(0, 0.0, (0.5, 3.0)), voice(1, 0.0, (2.0, 4.5))]

    assert turns(voices, [0, 1]) == [
        SpeakerTurn(start=0.5, end=3.0, speaker=0),
        SpeakerTurn(start=2.0, end=4.5, speaker=1),
    ]


def test_two_voices_of_a_window_that_are_one_speaker_count_once() -> None:
    voices = [voice(0, 0.0, (0.5, 3.0)), voice(1, 0.0, (2.0, 4.5)), voice(2, 0.0, (2.0, 4.5))]

    assert turns(voices, [0, 0, 1]) == [
        SpeakerTurn(start=0.5, end=4.5, speaker=0),
        SpeakerTurn(start=2.0, end=4.5, speaker=1),
    ]


def test_a_short_pause_is_a_part_of_the_turn_and_a_click_is_none() -> None:
    voices = [voice(3, 0.0, (1.0, 2.0), (2.1, 3.0), (4.0, 4.05))]

    assert turns(voices, [3]) == [SpeakerTurn(start=1.0, end=3.0, speaker=3)]


def test_where_nobody_speaks_there_is_no_turn() -> None:
    assert turns([], []) == []
