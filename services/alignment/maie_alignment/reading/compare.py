"""Compares the words of a text with those that were heard."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from maie.alignment.v1 import alignment_pb2 as alignment
from maie_alignment.text import TextWord, spoken_forms

FILLERS = frozenset({"uh", "um", "er", "erm", "ah", "eh", "hm", "hmm", "mm", "mhm"})
# How many words around one may be what it repeats.
REPEAT_REACH = 3
# The letters that the beginning of a word has at least.
MIN_START_LETTERS = 2


@dataclass(kw_only=True, frozen=True, slots=True)
class HeardWord:
    """A word that speech recognition heard.

    Attributes:
        text: As it wrote it.
        start: Where it begins, in seconds from the recording's start.
        end: Where it ends.
    """

    text: str
    start: float
    end: float


@dataclass(kw_only=True, frozen=True, slots=True)
class Unit:
    """One spoken word: of the text, heard, or both.

    Attributes:
        expected: The word of the text, in lower case; empty for none.
        word: The place of its `TextWord`; -1 for none.
        heard: What was heard, in lower case; empty for nothing.
        start: When that begins, in seconds from the recording's start; 0 for nothing.
        end: When that ends.
        outcome: What became of it, as far as words tell.
    """

    expected: str = ""
    word: int = -1
    heard: str = ""
    start: float = 0.0
    end: float = 0.0
    outcome: alignment.WordOutcome


def compare(text: Sequence[TextWord], heard: Sequence[HeardWord]) -> list[Unit]:
    """Says what became of each word.

    Args:
        text: The text.
        heard: What was heard, in the order of time.

    Returns:
        The words of the text in order, with what else was heard between them.
    """
    expected = [(form, place) for place, word in enumerate(text) for form in word.spoken]
    spoken = [
        HeardWord(text=form, start=start, end=end)
        for word in heard
        for form, start, end in _parts(word)
    ]
    return list(_units(expected, spoken))


def as_read(text: Sequence[TextWord]) -> list[Unit]:
    """Counts all of a text as read, where nobody heard it."""
    return [
        Unit(expected=form, word=place, outcome=alignment.WORD_OUTCOME_CORRECT)
        for place, word in enumerate(text)
        for form in word.spoken
    ]


def _parts(word: HeardWord) -> Iterator[tuple[str, float, float]]:
    """The words that are spoken for one that is written, each with its share of the time."""
    forms = spoken_forms(word.text)
    for number, form in enumerate(forms):
        step = (word.end - word.start) / len(forms)
        yield form, word.start + number * step, word.start + (number + 1) * step


def _units(expected: list[tuple[str, int]], spoken: list[HeardWord]) -> Iterator[Unit]:
    words, heard = [form for form, _ in expected], [each.text for each in spoken]
    blocks = list(Levenshtein.opcodes(words, heard))
    ends = len(words)
    if blocks and blocks[-1].tag == "delete":
        ends = blocks[-1].src_start
    for differs, group in itertools.groupby(blocks, lambda block: block.tag != "equal"):
        run = list(group)
        mine = expected[run[0].src_start : run[-1].src_end]
        theirs = spoken[run[0].dest_start : run[-1].dest_end]
        if differs and "".join(form for form, _ in mine) == "".join(each.text for each in theirs):
            yield from _written_otherwise(mine, theirs)
            continue
        for block in run:
            mine = expected[block.src_start : block.src_end]
            theirs = spoken[block.dest_start : block.dest_end]
            if block.tag == "insert":
                yield from _beside(theirs, heard, block.dest_start, words[block.src_start :])
            elif block.tag == "delete":
                yield from _left_out(mine, reached=block.src_start < ends)
            else:
                yield from _pairs(mine, theirs, same=block.tag == "equal")


def _pairs(
    mine: Sequence[tuple[str, int]], theirs: Sequence[HeardWord], *, same: bool
) -> Iterator[Unit]:
    outcome = alignment.WORD_OUTCOME_CORRECT if same else alignment.WORD_OUTCOME_WRONG
    for (form, place), each in zip(mine, theirs, strict=True):
        yield Unit(
            expected=form,
            word=place,
            heard=each.text,
            start=each.start,
            end=each.end,
            outcome=outcome,
        )


def _left_out(mine: Sequence[tuple[str, int]], *, reached: bool) -> Iterator[Unit]:
    outcome = alignment.WORD_OUTCOME_SKIPPED if reached else alignment.WORD_OUTCOME_NOT_REACHED
    for form, place in mine:
        yield Unit(expected=form, word=place, outcome=outcome)


def _written_otherwise(
    mine: Sequence[tuple[str, int]], theirs: Sequence[HeardWord]
) -> Iterator[Unit]:
    """Words that are the same letters, such as "cannot" and "can not"."""
    start, end = theirs[0].start, theirs[-1].end
    step = (end - start) / len(mine)
    for number, (form, place) in enumerate(mine):
        yield Unit(
            expected=form,
            word=place,
            heard=form,
            start=start + number * step,
            end=start + (number + 1) * step,
            outcome=alignment.WORD_OUTCOME_CORRECT,
        )


def _beside(
    theirs: Sequence[HeardWord], heard: Sequence[str], place: int, following: Sequence[str]
) -> Iterator[Unit]:
    """What was spoken beside the text.

    Args:
        theirs: The words.
        heard: All words that were heard.
        place: Where these begin among them.
        following: The words of the text that follow.
    """
    run = [each.text for each in theirs]
    size = len(run)
    before, after = list(heard[max(0, place - size) : place]), list(heard[place + size :][:size])
    near = [*heard[max(0, place - REPEAT_REACH) : place], *following[:REPEAT_REACH]]
    for each in theirs:
        begun = len(each.text) >= MIN_START_LETTERS and any(
            word.startswith(each.text) for word in following[:1]
        )
        if each.text in FILLERS:
            outcome = alignment.WORD_OUTCOME_FILLER
        elif run in (before, after) or begun or each.text in near:
            outcome = alignment.WORD_OUTCOME_REPEATED
        else:
            outcome = alignment.WORD_OUTCOME_INSERTED
        yield Unit(heard=each.text, start=each.start, end=each.end, outcome=outcome)
