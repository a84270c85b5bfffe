"""Texts of any kind are cut into short sentences, and nothing of them is lost."""

from __future__ import annotations

import tracemalloc
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_synthesis.text.sentences import MAX_CHARACTERS, sentences

pytestmark = pytest.mark.unit

any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=2000)
prose = st.lists(
    st.sampled_from(
        ["Mr.", "word", "3.14", "e.g.", "end.", "Why?", "\n\n", "\n- ", "(so)", '"Go!"']
    ),
    max_size=200,
).map(" ".join)


def cut(text: str) -> list[str]:
    return [text[each.start : each.end] for each in sentences(text)]


@given(any_text | prose)
def test_nothing_but_white_space_is_lost(text: str) -> None:
    assert "".join("".join(cut(text)).split()) == "".join(text.split())


@given(any_text | prose)
def test_sentences_are_short_in_order_and_begin_and_end_with_something(text: str) -> None:
    place = 0
    for each in sentences(text):
        assert place <= each.start < each.end <= each.start + MAX_CHARACTERS
        assert text[each.start : each.end] == text[each.start : each.end].strip()
        place = each.end


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Mr. Smith met J. R. Jones.", ["Mr. Smith met J. R. Jones."]),
        ("It is 3.14. Yes.", ["It is 3.14.", "Yes."]),
        ("At 5 p.m. on Jan. 3 it began. Then", ["At 5 p.m. on Jan. 3 it began.", "Then"]),
        ('He said "Go!" Then he left.', ['He said "Go!"', "Then he left."]),
        ("see e.g. this. and that", ["see e.g. this. and that"]),
        ("Title\n\nText\ngoes on", ["Title", "Text\ngoes on"]),
        ("Two:\n- first\n- second", ["Two:", "- first", "- second"]),
        ("1. First\n2. Second", ["1. First", "2. Second"]),
        ("你好。再见！", ["你好。再见！"]),
    ],
)
def test_sentences_end_where_readers_end_them(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


def test_a_long_sentence_is_cut_at_a_clause() -> None:
    text = "a " * 100 + "clause, " + "b " * 100
    assert cut(text)[0].endswith("clause,")


def test_a_text_without_spaces_is_cut_anyway() -> None:
    assert [len(each) for each in cut("x" * 1000)] == [280, 280, 280, 160]


@pytest.mark.parametrize("text", ["word " * 200_000, "x" * 1_000_000, " " * 1_000_000 + "end"])
def test_a_megabyte_needs_the_memory_of_a_sentence(text: str) -> None:
    tracemalloc.start()
    try:
        last = deque(sentences(text), maxlen=1)[0]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert last.end == len(text.rstrip())
    assert peak < 64 * 1024
