"""What counts as a change of words, and what is punctuation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_enhancement.guard import find_words, word_change, words_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("so we meet at nine", "So, we meet at nine."),
        ("what he said was no", "What he said was: «No!»"),
        ("its late isnt it", "It's late, isn't it?"),
        ("a b c", "A — b … c"),
        ("version 1.5 of it", "Version 1.5 of it."),
        ("你好 世界 再见", "你好，世界。再见！"),
        ("こんにちは元気ですか", "こんにちは、元気ですか？"),
        ("สวัสดี ครับ", "สวัสดีครับ"),
        ("hôm nay trời đẹp", "Hôm nay, trời đẹp."),
        ("cafe\u0301 straße", "Café Straße"),
        ("नमस्ते दुनिया", "नमस्ते, दुनिया।"),
    ],
)
def test_punctuation_and_case_change_no_words(raw: str, clean: str) -> None:
    assert words_of(raw) == words_of(clean)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("it costs 15 now", "It costs 1.5 now."),
        ("it was 5 degrees", "It was -5 degrees."),
        ("five percent", "5%"),
        ("it costs 5", "It costs $5."),
        ("pages 10 15", "Pages 10-15."),
        ("a part of it", "Apart of it."),
        ("good morning", "**Good morning.**"),
        ("he can", "He can't"),
        ("नमस्ते", "नमसत"),
        ("we meet", "We meet. Thanks"),
    ],
)
def test_other_words_and_figures_are_changes(raw: str, clean: str) -> None:
    assert words_of(raw) != words_of(clean)
    assert word_change(words_of(raw), words_of(clean)) > 0


def test_a_change_is_a_share_of_the_words() -> None:
    assert word_change(["a", "b", "c", "d"], ["a", "x", "c", "d"]) == 0.25
    assert word_change([], []) == 0
    assert word_change([], ["a"]) == 1


@given(
    st.text(alphabet=st.one_of(st.characters(), st.sampled_from("a .,-1漢ก\u0301")), max_size=30)
)
def test_words_lie_where_they_are_said_to(text: str) -> None:
    end = 0
    for word in find_words(text):
        assert end <= word.start < word.end <= len(text)
        assert words_of(text[word.start : word.end])
        end = word.end
