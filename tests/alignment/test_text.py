"""The words of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_alignment.text import spoken_forms, text_words

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Mr.", "mister"),
        ("“cold-hearted”,", "cold hearted"),
        ("don’t", "don't"),
        ("1,250", "one thousand two hundred fifty"),
        ("1984", "nineteen eighty four"),
        ("1905.", "nineteen oh five"),
        ("2005", "two thousand five"),
        ("3.14", "three point one four"),
        ("21st", "twenty first"),
        ("20%", "twenty percent"),
        ("007", "zero zero seven"),
        ("3d", "three d"),
        ("…", ""),
    ],
)
def test_words_are_spoken(written, spoken):
    assert " ".join(spoken_forms(written)) == spoken


def test_words_know_their_place_and_their_phrase():
    text = "“Well,” said Mr. Dash — he (really) left."
    words = text_words(text)
    assert [word.text for word in words] == ["Well", "said", "Mr", "Dash", "he", "really", "left"]
    assert all(text[word.offset :].startswith(word.text) for word in words)
    assert [word.text for word in words if word.ends_phrase] == ["Well", "Dash", "left"]


@given(st.text())
def test_any_text_has_words_in_it(text):
    for word in text_words(text):
        assert word.spoken
        assert text[word.offset :].startswith(word.text)
