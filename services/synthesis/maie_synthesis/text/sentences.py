"""Cuts text into sentences, and long sentences into pieces of bounded length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# About 20 seconds of speech: the first audio of a longer sentence would come late.
MAX_CHARACTERS = 280

_SPACE = re.compile(r"\s*")
_END = re.compile(
    r"""
    [.!?…。！？]+ ["')\]»”’]*     # the mark, and what closes a quotation
    (?= \s | \Z )
    | \n [^\S\n]* \n              # an empty line
    | \n (?= [^\S\n]* (?: [-*•–] | \d{1,3} [.)] ) \s )   # the next item of a list
    """,
    re.VERBOSE,
)
_CLAUSE = re.compile(r"[,;:—–]+\s+")
_GAP = re.compile(r"\s+")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[\"'])(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|vs|etc|approx|No|Fig|e\.g|i\.e|a\.m|p\.m"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\Z"
)
_LONGEST_ABBREVIATION = 12


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a text, half-open, in Unicode code points from its start."""

    start: int
    end: int


def sentences(text: str) -> Iterator[Span]:
    """The sentences of a text, in order.

    They hold all of it but white space between them, and are `MAX_CHARACTERS` long at most:
    a longer sentence is cut at a clause, or else at a space, or else anywhere.
    """
    place = _skip_space(text, 0)
    while place < len(text):
        end = _end(text, place)
        yield Span(place, place + len(text[place:end].rstrip()))
        place = _skip_space(text, end)


def begins_paragraph(text: str, before: Span, after: Span) -> bool:
    """Whether an empty line or the mark of a list is between two sentences."""
    return "\n" in text[before.end : after.start][:MAX_CHARACTERS]


def _skip_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _end(text: str, start: int) -> int:
    limit = min(len(text), start + MAX_CHARACTERS)
    # A character more, since at the end of what is searched all is followed by an end.
    seen = min(len(text), limit + 1)
    for found in _END.finditer(text, start, seen):
        if found.end() <= limit and not _goes_on(text, start, found):
            return found.end()
    if limit == len(text):
        return limit
    return _last(_CLAUSE, text, start, limit) or _last(_GAP, text, start, limit) or limit


def _goes_on(text: str, start: int, found: re.Match[str]) -> bool:
    """Whether the dot belongs to an abbreviation, an initial, or a number of a list."""
    if found[0] != ".":
        return False
    before = text[max(start, found.start() - _LONGEST_ABBREVIATION) : found.start()]
    if _ABBREVIATION.search(before):
        return True
    if before.isdigit() and found.start() - len(before) == start:
        return True
    after = text[found.end() : found.end() + 2].lstrip()
    return after[:1].islower()


def _last(pattern: re.Pattern[str], text: str, start: int, limit: int) -> int:
    """Where the last match in the later half ends; 0 where there is none."""
    half = start + (limit - start) // 2
    return max((found.end() for found in pattern.finditer(text, half, limit)), default=0)
