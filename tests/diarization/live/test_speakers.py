"""Finding the speakers of a live track, voice by voice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from maie_diarization.live.memory import MOST_GROUPS
from maie_diarization.live.speakers import DROP_WINDOWS, MERGE_WINDOWS, LiveSpeakers, Merge
from maie_diarization.live.windows import LAG, WINDOW, Window, Windows
from tests.diarization.voices import CALIBRATION, conversation, voice

pytestmark = pytest.mark.unit


def numbers(speakers: LiveSpeakers) -> list[int]:
    return [each.number for each in speakers.known]


def test_each_voice_is_a_speaker_in_the_order_of_their_appearance() -> None:
    speakers = LiveSpeakers(CALIBRATION)
    found = []
    for each in conversation([0, 0, 1, 0, 2, 1]):
        assert speakers.hear([each]) == []
        found.append(len(speakers.known))
    assert found == [1, 1, 2, 2, 3, 3]
    assert [int(np.argmax(each.mean)) for each in speakers.known] == [0, 1, 2]


def test_there_are_no_more_speakers_than_asked_for() -> None:
    speakers = LiveSpeakers(CALIBRATION, most=2)
    for each in conversation([0, 1, 2, 3] * 3):
        speakers.hear([each])
        assert numbers(speakers) in ([1], [1, 2])


def test_two_who_turn_out_to_be_one_are_merged_once() -> None:
    speakers = LiveSpeakers(CALIBRATION)
    speakers.hear([voice(0)])
    speakers.hear([voice(1)])
    assert numbers(speakers) == [1, 2]
    # Somebody whose voice is between both, as it is of both.
    between = (np.eye(32)[0] + np.eye(32)[1]).astype(np.float32) / np.sqrt(2)
    middle = voice(0)
    object.__setattr__(middle, "embedding", between)
    merges = [speakers.hear([middle]) for _ in range(MERGE_WINDOWS + 5)]
    assert [each for each in merges if each] == [[Merge(old=2, new=1)]]
    assert numbers(speakers) == [1]
    assert speakers.next_number == 3


def test_a_voice_that_is_hardly_heard_is_no_speaker_of_a_long_track() -> None:
    calibration = replace(CALIBRATION, min_speaker_share=0.04, sure_speaker_duration=60.0)
    speakers = LiveSpeakers(calibration)
    merges = []
    for each in conversation([0, 1, *[0] * (2 * DROP_WINDOWS)]):
        merges += speakers.hear([each])
    assert merges == [Merge(old=2, new=1)]
    assert numbers(speakers) == [1]
    # It is one again once it has said enough, by another number.
    for each in conversation([1] * 10):
        speakers.hear([each])
    assert numbers(speakers) == [1, 3]


def test_hours_take_no_more_memory_than_minutes() -> None:
    speakers = LiveSpeakers(CALIBRATION)
    for each in conversation([place % 3 for place in range(MOST_GROUPS + 20)]):
        speakers.hear([each])
        assert len(speakers._memory.groups) <= MOST_GROUPS
    assert numbers(speakers) == [1, 2, 3]
    assert len(speakers._memory.groups) < MOST_GROUPS


def test_known_speakers_are_found_again() -> None:
    before = LiveSpeakers(CALIBRATION)
    for each in conversation([0, 1]):
        before.hear([each])
    after = LiveSpeakers(CALIBRATION, before.known, before.next_number)
    for each in conversation([1, 2, 0], seed=1):
        after.hear([each])
    assert [int(np.argmax(each.mean)) for each in after.known] == [0, 1, 2]


def test_windows_settle_a_track_without_gaps() -> None:
    windows, settled = Windows(1000), 1000
    while (window := windows.whole(1000 + 3 * WINDOW)) is not None:
        assert windows.needed <= window.start < window.end
        assert window.settled == window.end - LAG > settled
        settled = window.settled
    # It ends where the last whole one does, so that nothing is heard twice.
    assert windows.last(1000 + 3 * WINDOW) == Window(
        start=1000 + 3 * WINDOW, end=1000 + 3 * WINDOW, settled=1000 + 3 * WINDOW
    )
    assert windows.last(1000 + 3 * WINDOW) is None
    rest = windows.last(2000 + 3 * WINDOW)
    assert rest == Window(start=2000 + 2 * WINDOW, end=2000 + 3 * WINDOW, settled=2000 + 3 * WINDOW)
