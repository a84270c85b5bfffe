"""Checks that clean text has the same words as the raw text, and measures changes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

TOKEN = re.compile(r"\S+")
# Scripts without spaces between words, where each character counts as a word: Thai and Lao,
# Burmese, Khmer, kana, Han.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]"
)
# Neither letters, digits nor punctuation: a change of these symbols is a change of words, or a
# language model's mark-up.
SAID = frozenset("%‰&@#*_\\{}`")
DASHES = frozenset("-‐‑–−")


@dataclass(kw_only=True, frozen=True, slots=True)
class FoundWord:
    """A word in a text.

    Attributes:
        letters: Its letters, digits and symbols without case.
        start: The position of its first letter.
        end: The position after its last letter.
    """

    letters: str
    start: int
    end: int


def find_words(text: str) -> list[FoundWord]:
    """The words of a text, in order, with their positions."""
    return [word for token in TOKEN.finditer(text) for word in _words(token[0], token.start())]


def words_of(text: str) -> list[str]:
    """The words of a text, without case, punctuation or spacing."""
    return [word.letters for word in find_words(text)]


def word_change(raw: Sequence[str], clean: Sequence[str]) -> float:
    """The words changed, added, dropped or moved, over the longer text's words, 0 to 1.

    Args:
        raw: Words before, by `words_of`.
        clean: Words after.
    """
    return Levenshtein.distance(raw, clean) / max(len(raw), len(clean), 1)


def edit_rate(raw: Sequence[str], clean: Sequence[str]) -> float:
    """Levenshtein distance over the longer text's length, 0 to 1.

    Args:
        raw: The raw text of each segment.
        clean: The clean text of each segment.
    """
    # The segments' distances add up to at least that of the whole text; this hint saves most of the
    # work.
    hint = sum(Levenshtein.distance(a, b) for a, b in zip(raw, clean, strict=True))
    before, after = " ".join(raw), " ".join(clean)
    distance = Levenshtein.distance(before, after, score_hint=hint)
    return distance / max(len(before), len(after), 1)


def _words(token: str, offset: int) -> Iterator[FoundWord]:
    """The words of a text without white space: one, or one for each character that is a word."""
    letters, start, end = "", 0, 0
    for at, character in enumerate(token):
        if not _is_said(token, at):
            continue
        alone = UNSPACED.match(character) or UNSPACED.match(letters)
        if letters and alone and not _is_mark(character):
            yield FoundWord(letters=_plain(letters), start=offset + start, end=offset + end)
            letters = ""
        start = start if letters else at
        letters += character
        end = at + 1
    if letters:
        yield FoundWord(letters=_plain(letters), start=offset + start, end=offset + end)


def _plain(letters: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", letters).casefold())


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _is_said(token: str, at: int) -> bool:
    """Whether a character is spoken or part of a number: the point of "1.5", the dash of "-5"."""
    character = token[at]
    if character.isalnum() or character in SAID:
        return True
    category = unicodedata.category(character)
    if category[0] == "M" or category in ("Sc", "Sm", "So"):
        return True
    before, after = token[at - 1 : at], token[at + 1 : at + 2]
    return after.isdecimal() and (before.isdecimal() or (not before and character in DASHES))
