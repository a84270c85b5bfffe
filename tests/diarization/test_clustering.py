"""Who is who, from embeddings that are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_diarization.clustering import Hints, Identification, identify
from maie_diarization.clustering.groups import MOST_GROUPS, gather
from maie_diarization.engine import Voice
from tests.diarization.voices import CALIBRATION, DIMENSIONS, conversation, voice

pytestmark = pytest.mark.unit

ORDERS = st.lists(st.integers(0, 4), min_size=1, max_size=24)


def identified(chunks: Sequence[Sequence[Voice]], hints: Hints | None = None) -> Identification:
    return identify(chunks, hints or Hints(), CALIBRATION, lambda: None)


def by_first_appearance(order: Sequence[int]) -> tuple[int, ...]:
    seen = list(dict.fromkeys(order))
    return tuple(seen.index(each) for each in order)


@given(ORDERS)
def test_each_speaker_has_one_number_by_first_appearance(order: list[int]) -> None:
    found = identified([conversation(order)])

    assert found.speakers == (by_first_appearance(order),)
    assert found.centroids.shape == (len(set(order)), DIMENSIONS)
    assert np.linalg.norm(found.centroids, axis=1) == pytest.approx(1, abs=1e-5)


@given(ORDERS, st.integers(1, 23))
def test_where_a_recording_is_cut_into_chunks_makes_no_difference(
    order: list[int], place: int
) -> None:
    voices = conversation(order)
    first, second = voices[:place], voices[place:]

    whole, cut = identified([voices]), identified([first, second])

    assert [*cut.speakers[0], *cut.speakers[1]] == [*whole.speakers[0]]


@given(ORDERS, st.randoms())
def test_the_order_of_voices_changes_nothing_but_numbers(order: list[int], chance: Random) -> None:
    voices = conversation(order)
    places = list(range(len(voices)))
    chance.shuffle(places)

    (found,) = identified([[voices[place] for place in places]]).speakers

    assert found == by_first_appearance([order[place] for place in places])


@given(ORDERS, st.integers(1, 6))
def test_as_many_speakers_as_are_known(order: list[int], count: int) -> None:
    found = identified([conversation(order)], Hints(speaker_count=count))

    assert len(set(found.speakers[0])) == min(count, len(order)) == len(found.centroids)
    assert count > len(order) or found.confidence == 1


@given(ORDERS, st.integers(1, 3), st.integers(3, 6))
def test_no_more_and_no_fewer_speakers_than_are_allowed(
    order: list[int], least: int, most: int
) -> None:
    hints = Hints(min_speaker_count=least, max_speaker_count=most)

    count = len(identified([conversation(order)], hints).centroids)

    assert count == min(max(len(set(order)), least, 1), most, len(order))


def test_voices_of_a_window_are_different_speakers() -> None:
    twins = [voice(0, 20.0, (20.0, 22.0)), voice(0, 20.0, (22.0, 25.0))]

    found = identified([[*conversation([0, 1, 0, 1]), *twins]]).speakers[0]

    assert sorted(found[-2:]) == [0, 1]


def test_voices_of_a_window_are_one_speaker_where_there_is_one() -> None:
    twins = [voice(0, 0.0, (0.0, 2.0)), voice(0, 0.0, (2.0, 5.0))]

    assert identified([twins], Hints(speaker_count=1)).speakers == ((0, 0),)


def test_a_voice_without_embedding_is_who_speaks_there_in_other_windows() -> None:
    voices = [*conversation([0, 1, 2]), voice(None, 4.0, (6.0, 6.2))]

    assert identified([voices]).speakers == ((0, 1, 2, 1),)


def test_a_voice_without_embedding_is_who_speaks_next_to_it() -> None:
    voices = [voice(0, 0.0, (0.0, 3.0)), voice(1, 5.0, (6.0, 9.0)), voice(None, 2.5, (5.0, 5.5))]

    assert identified([voices]).speakers == ((0, 1, 1),)


def test_voices_without_any_embedding_are_one_speaker_of_no_confidence() -> None:
    found = identified([[voice(None)], [], [voice(None)]])

    assert found.speakers == ((0,), (), (0,))
    assert found.confidence == 0


def test_voices_with_too_little_speech_are_one_speaker_of_no_confidence() -> None:
    short = replace(voice(0), clean_duration=CALIBRATION.min_duration / 2)

    found = identified([[short]])

    assert found.speakers == ((0,),)
    assert found.confidence == 0


def test_a_recording_without_voices_has_no_speakers() -> None:
    found = identified([[], []])

    assert found.speakers == ((), ())
    assert len(found.centroids) == 0


def test_a_clear_number_is_surer_than_one_next_to_the_threshold() -> None:
    clear = conversation([0, 1] * 4)
    close = [*conversation([0] * 4), *[_between(0, 1, 0.55)] * 4]

    assert identified([clear]).confidence > 0.8 > 0.7 > identified([close]).confidence > 0.5


def test_who_has_a_small_share_of_a_long_recording_is_a_speaker_only_by_much_speech() -> None:
    calibration = replace(CALIBRATION, min_speaker_share=0.2, sure_speaker_duration=12.0)
    once, thrice = [[0] * 20 + [1] * times for times in (1, 3)]

    counts = [
        len(identify([conversation(order)], Hints(), calibration, lambda: None).centroids)
        for order in (once, thrice)
    ]

    assert counts == [1, 2]


def test_what_two_speakers_make_together_is_no_third_one() -> None:
    voices = [*conversation([0] * 6 + [1] * 5), *[_between(0, 1, 0.7)] * 4]

    found = _found(voices, Hints())

    assert len(found.centroids) == 2
    assert set(found.speakers[0]) == {0, 1}
    assert found.confidence > 0.8


def test_what_two_speakers_make_together_is_a_third_one_for_who_knows_of_three() -> None:
    voices = [*conversation([0] * 6 + [1] * 5), *[_between(0, 1, 0.7)] * 4]

    assert len(_found(voices, Hints(speaker_count=3)).centroids) == 3
    assert len(_found(voices, Hints(min_speaker_count=3)).centroids) == 3


@pytest.mark.parametrize("others", [1, 2, 3])
def test_who_speaks_least_is_a_speaker_by_a_voice_that_others_do_not_make(others: int) -> None:
    # Half of it is as the others, and half is like nobody.
    embedding = np.zeros(DIMENSIONS, np.float32)
    embedding[:others] = np.sqrt(0.5 / others)
    embedding[others] = np.sqrt(0.5)
    own = replace(voice(0), embedding=embedding)
    voices = [*conversation([0, 1, 2][:others] * 6), *[own] * 4]

    assert len(_found(voices, Hints()).centroids) == others + 1


def test_one_who_is_unlike_another_is_no_part_of_a_third() -> None:
    # Less of one voice than there is, and more of another, is a voice that no two make together.
    embedding = np.zeros(DIMENSIONS, np.float32)
    embedding[0], embedding[1] = 0.7, -np.sqrt(1 - 0.7**2)
    voices = [*conversation([0] * 6 + [1] * 5), *[replace(voice(0), embedding=embedding)] * 4]

    assert len(_found(voices, Hints()).centroids) == 3


def test_a_long_recording_is_clustered_by_a_bounded_number_of_groups() -> None:
    chance = np.random.default_rng(2)
    chunks = [[_anybody(chance) for _ in range(150)] for _ in range(MOST_GROUPS // 150 + 2)]

    groups = gather(chunks, CALIBRATION, lambda: None)

    assert MOST_GROUPS // 2 <= len(groups) <= MOST_GROUPS
    assert groups.durations.sum() == sum(voice.clean_duration for each in chunks for voice in each)


def _found(voices: Sequence[Voice], hints: Hints) -> Identification:
    """With thresholds between which a mixture lies."""
    calibration = replace(CALIBRATION, same_speaker=0.8, mixed_speakers=0.9)
    return identify([voices], hints, calibration, lambda: None)


def _anybody(chance: np.random.Generator) -> Voice:
    embedding = chance.normal(size=DIMENSIONS).astype(np.float32)
    return replace(voice(0), embedding=embedding / np.linalg.norm(embedding))


def _between(one: int, other: int, similarity: float) -> Voice:
    """A voice of some similarity to `one`, and else as `other`."""
    embedding = np.zeros(DIMENSIONS, np.float32)
    embedding[one], embedding[other] = similarity, np.sqrt(1 - similarity**2)
    return replace(voice(other), embedding=embedding)
