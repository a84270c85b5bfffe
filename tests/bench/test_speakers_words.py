"""Words count as wrong, and as another speaker's, as people would count them."""

from __future__ import annotations

import pytest

from bench.diarization.speakers_words import SpeakersWord, word_errors

pytestmark = pytest.mark.unit


def talk(text: str) -> list[SpeakersWord]:
    """Words with their speakers, such as "a:hello b:hi"."""
    pairs = (each.split(":") for each in text.split())
    return [SpeakersWord(speaker=speaker, text=word) for speaker, word in pairs]


SAID = talk("a:how a:are a:you b:fine b:and b:you a:well b:good c:me c:too")


@pytest.mark.parametrize(
    ("found", "words", "by_speaker", "misplaced"),
    [
        # Names of speakers are the product's own.
        ("x:how x:are x:you y:fine y:and y:you x:well y:good z:me z:too", 0, 0, 0),
        # A word is wrong, and a word is missing.
        ("x:how x:is x:you y:fine y:you x:well y:good z:me z:too", 0.2, 0.2, 0),
        # A right word of another speaker is missing here and too many there.
        ("x:how x:are x:you x:fine y:and y:you x:well y:good z:me z:too", 0, 0.2, 0.1),
        # Two speakers are taken for one.
        ("x:how x:are x:you y:fine y:and y:you x:well y:good y:me y:too", 0, 0.4, 0.2),
        # One speaker is taken for two.
        ("x:how x:are x:you y:fine y:and y:you w:well y:good z:me z:too", 0, 0.2, 0.1),
        ("", 1, 1, 0),
    ],
)
def test_errors(found: str, words: float, by_speaker: float, misplaced: float) -> None:
    errors = word_errors(SAID, talk(found))
    assert errors.words == pytest.approx(words)
    assert errors.by_speaker == pytest.approx(by_speaker)
    assert errors.misplaced == pytest.approx(misplaced)
