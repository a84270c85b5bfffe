"""Wraps text by columns: a wide character takes two, a combining one none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, split_graphemes

# Han, kana and full-width forms: text without spaces, which may be broken between characters.
# Hangul is as wide and has spaces.
_BREAKABLE = re.compile(
    "[\u2e80-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003fffd]"
)
_CLOSING = frozenset({"Pe", "Pf", "Po", "Lm", "Mn", "Mc", "Me"})
_OPENING = frozenset({"Ps", "Pi"})


@dataclass(kw_only=True, frozen=True, slots=True)
class Piece:
    """Text without a line break.

    Attributes:
        text: The text, without spaces.
        word: The number of its word, from 0.
        begins: Whether it begins the word, and needs a space before it.
    """

    text: str
    word: int
    begins: bool

    @property
    def columns(self) -> int:
        """Its width in columns."""
        return cell_len(self.text)


def pieces(text: str, columns: int) -> list[Piece]:
    """Splits text where rows may end.

    Args:
        text: The text.
        columns: The largest width of a piece, unless it is one character.
    """
    return [
        Piece(text=part, word=number, begins=at == 0)
        for number, word in enumerate(text.split())
        for at, part in enumerate(_parts(word, columns))
    ]


def joined(row: Sequence[Piece]) -> str:
    """The text of a row."""
    return "".join(f" {each.text}" if each.begins else each.text for each in row).strip()


def fill(row: Sequence[Piece], columns: int) -> int:
    """The number of pieces that fit into a row; at least one."""
    taken = 0
    for count, piece in enumerate(row):
        taken += piece.columns + (piece.begins and count > 0)
        if taken > columns and count:
            return count
    return len(row)


def _parts(word: str, columns: int) -> Iterator[str]:
    if not _BREAKABLE.search(word) and cell_len(word) <= columns:
        yield word
        return
    part = ""
    for start, end, _ in split_graphemes(word)[0]:
        letter = word[start:end]
        if part and (cell_len(part + letter) > columns or _may_end(part, letter)):
            yield part
            part = ""
        part += letter
    yield part


def _may_end(before: str, after: str) -> bool:
    """Whether a row may end between two letters: not after "「" and not before "。"."""
    if not (_BREAKABLE.match(before[-1]) or _BREAKABLE.match(after)):
        return False
    opens = unicodedata.category(before[-1]) in _OPENING
    return not opens and unicodedata.category(after[0]) not in _CLOSING
