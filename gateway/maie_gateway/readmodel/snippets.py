"""A few words of a text around what was found in it, as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from maie_gateway.readmodel.query import Term
from maie_gateway.readmodel.words import words

MAX_SNIPPET_LENGTH = 200
# How much of a snippet stands before the first word that was found.
LEAD = 60
CUT = "…"
_PIECE = re.compile(r"\S+")


def snippet(text: str, terms: Iterable[Term]) -> str:
    """At most `MAX_SNIPPET_LENGTH` characters of a text, with a mark where it was cut.

    It begins a little before the first term that the text holds, at a word
    where words have spaces.
    """
    shown = " ".join(text.split())
    if len(shown) <= MAX_SNIPPET_LENGTH:
        return shown
    start = _word_start(shown, _first(shown, terms) - LEAD)
    end = start + MAX_SNIPPET_LENGTH - 2 * len(CUT)
    if end < len(shown):
        # A whole word at the end too, unless that leaves next to nothing.
        end = max(shown.rfind(" ", start, end + 1), start + LEAD * 2)
    cut = shown[start:end].strip()
    return CUT * (start > 0) + cut + CUT * (end < len(shown))


def _first(text: str, terms: Iterable[Term]) -> int:
    """Where the first term begins, 0 where none is found."""
    found: list[str] = []
    starts: list[int] = []
    for piece in _PIECE.finditer(text):
        cut = words(piece.group())
        found += cut
        starts += [piece.start()] * len(cut)
    places = [_place(found, term) for term in terms]
    return min((starts[place] for place in places if place is not None), default=0)


def _place(found: Sequence[str], term: Term) -> int | None:
    size = len(term.words)
    for place in range(len(found) - size + 1):
        *whole, last = found[place : place + size]
        ends = last.startswith(term.words[-1]) if term.prefix else last == term.words[-1]
        if ends and tuple(whole) == term.words[:-1]:
            return place
    return None


def _word_start(text: str, at: int) -> int:
    """The start of the next word after a place; the place itself where none is near."""
    if at <= 0:
        return 0
    space = text.find(" ", at, at + LEAD)
    return at if space < 0 else space + 1
