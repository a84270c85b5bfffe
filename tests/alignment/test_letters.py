"""Which letters stand for which sounds."""

from __future__ import annotations

import itertools
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_alignment.engines.embedded.letters import (
    MAX_CHUNK,
    SILENT_UNSEEN,
    UNSEEN,
    letter_sounds,
    pronounce,
    split_phones,
)

pytestmark = pytest.mark.unit

COSTS = letter_sounds().costs
PHONES = ("AH", "B", "EH", "K", "N", "S", "T")


@pytest.mark.parametrize(
    ("word", "phones", "expected"),
    [
        ("knight", "N AY T", [(), ("N",), ("AY",), (), (), ("T",)]),
        ("box", "B AA K S", [("B",), ("AA",), ("K", "S")]),
        ("phone", "F OW N", [("F",), (), ("OW",), ("N",), ()]),
        ("use", "Y UW Z", [("Y", "UW"), ("Z",), ()]),
    ],
)
def test_letters_have_the_sounds_that_they_stand_for(word, phones, expected):
    assert split_phones(word, phones.split(), COSTS) == expected


@given(st.text("abcknst", min_size=1, max_size=4), st.lists(st.sampled_from(PHONES), max_size=5))
def test_no_way_to_share_out_the_sounds_is_cheaper(word, phones):
    found = split_phones(word, phones, COSTS)
    assert [phone for chunk in found for phone in chunk] == phones
    if len(phones) <= MAX_CHUNK * len(word):
        ways = itertools.product(range(MAX_CHUNK + 1), repeat=len(word))
        cheapest = min((cost(word, phones, way) for way in ways), default=inf)
        assert cost(word, phones, [len(chunk) for chunk in found]) == pytest.approx(cheapest)


def cost(word, phones, sizes):
    """What a way to share out sounds costs; infinite where it does not use them all."""
    if sum(sizes) != len(phones):
        return inf
    total, place = 0.0, 0
    for letter, size in zip(word, sizes, strict=True):
        unseen = UNSEEN * size if size else SILENT_UNSEEN
        total += COSTS[letter].get(" ".join(phones[place : place + size]), unseen)
        place += size
    return total


@pytest.mark.parametrize(
    ("word", "phones"),
    [("blick", "B L IH K"), ("snave", "S N EY V"), ("plishing", "P L IH SH IH NG")],
)
def test_words_that_nobody_knows_are_spoken_as_they_are_spelt(word, phones):
    assert pronounce(word, letter_sounds()) == phones.split()
