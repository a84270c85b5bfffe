"""The bench of boundaries knows when Flite speaks, and how far off what is found is."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from bench.alignment.nearness import (
    FoundWord,
    Nearness,
    middle,
    ratio,
    share_within,
    shifted,
)
from bench.alignment.spoken import (
    PASSAGE_SECONDS,
    SPEAKERS,
    TimedWord,
    plain_sentences,
    spoken_passages,
)
from bench.readings import SAMPLE_RATE

pytestmark = pytest.mark.unit

SPOKEN = (
    TimedWord(text="One,", start=0.1, end=0.3, sounds=(0.1, 0.2)),
    TimedWord(text="two", start=0.5, end=0.7, sounds=(0.5, 0.6)),
    TimedWord(text="three.", start=0.7, end=0.9, sounds=(0.7, 0.8)),
)


def test_words_that_were_misheard_are_left_out() -> None:
    near = Nearness()
    for _ in range(2):
        near.add(
            SPOKEN,
            [
                FoundWord(text="one", start=0.11, end=0.29),
                FoundWord(text="too", start=0.0, end=9.0),
                FoundWord(text="three", start=0.66, end=0.9),
            ],
        )
    assert near.words == 6
    assert near.starts == pytest.approx({0: 0.01, 2: -0.04, 3: 0.01, 5: -0.04})
    assert near.ends == pytest.approx({0: -0.01, 2: 0, 3: -0.01, 5: 0})
    assert middle(list(near.starts.values())) == pytest.approx(25)
    assert share_within(list(near.starts.values()), 20) == 50


def test_sounds_count_where_a_word_has_as_many() -> None:
    near = Nearness()
    near.add(
        SPOKEN[:2],
        [
            FoundWord(text="one", start=0.1, end=0.3, sounds=(0.1, 0.21)),
            FoundWord(text="two", start=0.5, end=0.7, sounds=(0.5, 0.6, 0.65)),
        ],
    )
    assert near.sounds == pytest.approx([0, 0.01])
    assert near.spoken_sounds == 4


def test_products_are_compared_by_the_words_that_both_have() -> None:
    assert ratio({0: 0.02, 1: 9.0}, {0: -0.01, 2: 5.0}) == pytest.approx(2)
    assert shifted({0: 0.1, 1: 0.2, 2: 0.5}) == pytest.approx({0: -0.1, 1: 0, 2: 0.3})


def test_the_sentences_are_spoken_as_they_are_written() -> None:
    words = [word for sentence in plain_sentences() for word in sentence.split()]
    assert len(words) > 1000
    assert not any("-" in word or any(map(str.isdigit, word)) for word in words)


@pytest.mark.skipif(not shutil.which("flite"), reason="`apt install flite` brings the program")
def test_flite_speaks_where_it_says() -> None:
    for passage in spoken_passages(1):
        assert passage.voice in SPEAKERS
        assert 10 < len(passage.samples) / SAMPLE_RATE <= PASSAGE_SECONDS
        assert " ".join(passage.sentences).split() == [word.text for word in passage.words]
        times = [time for word in passage.words for time in (word.start, word.end)]
        assert times == sorted(times)
        sounds = [sound for word in passage.words for sound in word.sounds]
        assert sounds == sorted(sounds)
        assert all(word.sounds[0] == pytest.approx(word.start, abs=0.002) for word in passage.words)
        loud = np.abs(passage.samples) > 1000
        within = np.zeros(len(loud), bool)
        for word in passage.words:
            within[round(word.start * SAMPLE_RATE) : round(word.end * SAMPLE_RATE)] = True
        assert loud[within].mean() > 10 * loud[~within].mean()
