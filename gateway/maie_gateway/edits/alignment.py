"""Gives the words of a corrected text the times of those that were there before."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from rapidfuzz.distance import LCSseq


@dataclass(kw_only=True, frozen=True, slots=True)
class TimedWord:
    """A word and its time.

    Attributes:
        text: The word.
        start: Where it begins, in nanoseconds of the recording.
        end: Where it ends; at `start` or later.
        confidence: The engine's, 0 to 1; None where there is none, as of a new word.
        speaker: Who says it, such as "S1"; None where speakers were not asked for.
        overlapped: Whether somebody else speaks at the same time; None where nobody knows.
    """

    text: str
    start: int
    end: int
    confidence: float | None = None
    speaker: str | None = None
    overlapped: bool | None = None


@dataclass(kw_only=True, frozen=True, slots=True)
class _Gap:
    """Words that follow each other and are not in the text before.

    Attributes:
        first: The place of the first one.
        count: How many there are, 1 or more.
        start: Where the time that they share begins.
        end: Where it ends.
        near: The words before that they replace, in order, or else the one beside them; none
            where there was no word before.
    """

    first: int
    count: int
    start: int
    end: int
    near: Sequence[TimedWord]


def within(words: Sequence[TimedWord], start: int, end: int) -> list[TimedWord]:
    """The same words, none before the end of another and none beyond the times."""
    ordered, last = [], start
    for word in words:
        begin = min(max(word.start, last), end)
        last = min(max(word.end, begin), end)
        ordered.append(replace(word, start=begin, end=last))
    return ordered


def aligned(
    texts: Sequence[str], before: Sequence[TimedWord], start: int, end: int
) -> list[TimedWord]:
    """The words of a corrected text, with times.

    A word that both texts have, in the same order, keeps its time, confidence and speaker, whatever
    its case and punctuation. New words share the time of those that they replace, or else what is
    between their neighbours, each by its length, and have the speaker of the word that was there.

    Args:
        texts: The words of the corrected text.
        before: The words before, in order.
        start: The earliest time, in nanoseconds.
        end: The latest time; at `start` or later.

    Returns:
        A word for each text. They are in order, do not overlap, and are within the times.
    """
    old = within(before, start, end)
    matches = _matches(texts, old)
    found = {place: replace(old[match], text=texts[place]) for place, match in matches.items()}
    for gap in _gaps(len(texts), old, matches, start, end):
        found |= _shared(texts, gap)
    return [found[place] for place in range(len(texts))]


def _matches(texts: Sequence[str], old: Sequence[TimedWord]) -> dict[int, int]:
    """The places of words that both texts have, by their places in the corrected text."""
    after, before = [_plain(text) for text in texts], [_plain(word.text) for word in old]
    return {
        block.dest_start + offset: block.src_start + offset
        for block in LCSseq.opcodes(before, after)
        if block.tag == "equal"
        for offset in range(block.src_end - block.src_start)
    }


def _plain(word: str) -> str:
    """A word as it is compared: in lower case and without punctuation, if anything is left."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    return "".join(sign for sign in folded if sign.isalnum()) or folded


def _gaps(
    count: int, old: Sequence[TimedWord], matches: dict[int, int], start: int, end: int
) -> list[_Gap]:
    gaps = []
    # Beyond both ends stands a word that both texts have.
    anchors = [(-1, -1), *sorted(matches.items()), (count, len(old))]
    for (place, match), (next_place, next_match) in pairwise(anchors):
        if next_place - place == 1:
            continue
        if next_match - match > 1:
            begin, stop = old[match + 1].start, old[next_match - 1].end
        else:
            begin = old[match].end if match >= 0 else start
            stop = old[next_match].start if next_match < len(old) else end
        near = old[match + 1 : next_match] or old[max(match, 0) : max(match, 0) + 1]
        count_of_new = next_place - place - 1
        gaps.append(_Gap(first=place + 1, count=count_of_new, start=begin, end=stop, near=near))
    return gaps


def _shared(texts: Sequence[str], gap: _Gap) -> dict[int, TimedWord]:
    """The words of a gap, each with a share of its time by its length."""
    places = range(gap.first, gap.first + gap.count)
    lengths = [len(texts[place]) for place in places]
    time, total = gap.end - gap.start, sum(lengths)
    ends = [gap.start + time * length // total for length in accumulate(lengths)]
    starts = [gap.start, *ends[:-1]]
    return {
        place: _new(texts[place], (begin, stop), gap.near)
        for place, begin, stop in zip(places, starts, ends, strict=True)
    }


def _new(text: str, time: tuple[int, int], near: Sequence[TimedWord]) -> TimedWord:
    """A word in the place of others: of who speaks in the middle of its time."""
    begin, stop = time
    new = TimedWord(text=text, start=begin, end=stop)
    if not near:
        return new
    begun = [word for word in near if word.start <= (begin + stop) // 2]
    there = begun[-1] if begun else near[0]
    return replace(new, speaker=there.speaker, overlapped=there.overlapped)
