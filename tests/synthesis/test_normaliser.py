"""What is said for numbers, dates, units and whatever else a text holds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_synthesis.text.normaliser import pieces
from tests.synthesis.test_sentences import any_text

pytestmark = pytest.mark.unit

# What an engine may be given: words of a to z, and marks of pauses.
SPEAKABLE = re.compile(r"([a-z]+('[a-z]+)*[,.?!]?( (?=[a-z])|\Z))*")
numbers = st.text("0123456789.,:/-$€%° kmghst", max_size=40)


def said(text: str) -> str:
    return " ".join(piece.spoken for piece in pieces(text))


@given(any_text | numbers)
def test_engines_get_plain_words_alone(text: str) -> None:
    assert SPEAKABLE.fullmatch(said(text).strip()), said(text)


@given(any_text | numbers)
def test_each_word_is_of_a_place_in_the_text(text: str) -> None:
    place = 0
    for piece in pieces(text):
        for token in piece.tokens:
            assert place <= token.start < token.end <= piece.end
            assert token.words
            place = token.end


@given(st.integers(min_value=0, max_value=10**15 - 1))
def test_numbers_are_words(number: int) -> None:
    assert said(f"number {number:,}").startswith("number ")
    assert not re.search("[0-9]", said(f"{number:,}"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$1,234.50", "one thousand two hundred thirty four dollars and fifty cents"),
        ("€3m and £1.01", "three million euros and one pound and one penny"),
        ("$2.5 billion", "two point five billion dollars"),
        ("2024-05-03", "may third twenty twenty four"),
        ("May 3, 2024", "may third twenty twenty four"),
        ("3rd of July", "third of july"),
        ("12 Dec 1999", "december twelfth nineteen ninety nine"),
        ("in 1905", "in nineteen oh five"),
        ("the 1980s", "the nineteen eighties"),
        ("14:05", "fourteen oh five"),
        ("9:00", "nine o'clock"),
        ("9:30 p.m. or 5 pm", "nine thirty p m or five p m"),
        ("72 km/h", "seventy two kilometers per hour"),
        ("1 m, 2 m", "one meter, two meters"),
        ("-3 °C", "minus three degrees celsius"),
        ("50% of 16 kHz", "fifty percent of sixteen kilohertz"),
        ("1/2 or 3/4 or 2/3", "one half or three quarters or two thirds"),
        ("21st", "twenty first"),
        ("3.14", "three point one four"),
        ("v1.2.3", "v one two three"),
        ("10.0.0.1", "ten point zero point zero point one"),
        ("pages 5-10", "pages five to ten"),
        ("1914–1918", "nineteen fourteen to nineteen eighteen"),
        ("007", "zero zero seven"),
        ("Dr. Smith vs. Mr. Jones", "doctor smith versus mister jones"),
        ("No. 5", "number five"),
        ("He said no.", "he said no."),
        ("HTTP, NASA and the USA", "h t t p, nasa and the u s ay"),
        ("https://www.example.com/a", "example dot com slash a"),
        ("bob@mail.example.org", "bob at mail dot example dot org"),
        ("café naïve Straße Łódź", "cafe naive strasse lodz"),
        ("don’t", "don't"),
        ("x & y < z", "x and y less than z"),
        ("<b>bold</b> **strong** # title", "b bold b strong title"),
        ("½ ²", "one half squared"),
        ("a\x00b\x07 c", "a b c"),
    ],
)
def test_readers_would_say(text: str, expected: str) -> None:
    assert said(text) == expected


def test_a_number_of_400_digits_is_read_digit_by_digit() -> None:
    assert said("7" * 400).split() == ["seven"] * 400


@pytest.mark.parametrize("text", ["Привет", "مرحبا", "你好", "٣"])
def test_other_scripts_are_left_out_and_counted(text: str) -> None:
    (piece,) = pieces(f"well {text} hello")
    assert piece.spoken == "well hello"
    assert piece.left_out == len(text)


def test_pictographs_are_nothing_to_speak_and_punctuation_is_nothing_at_all() -> None:
    (faces,) = pieces("😀😀")
    (dots,) = pieces("...---***")
    assert (faces.tokens, faces.symbols) == ((), True)
    assert (dots.tokens, dots.symbols) == ((), False)
