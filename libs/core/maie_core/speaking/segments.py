"""Segments that end where the speaker changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from maie.common.v1 import types_pb2 as common

# Between the id of the segment that was split and the number of the part, from the second on.
PART = "-p"


def split(segment: common.Segment) -> Iterator[common.Segment]:
    """The parts of a segment, one for each run of words of one speaker.

    The first part keeps the id, so that it replaces what watchers have; the others get
    the id, "-p" and their number.

    Args:
        segment: A segment with words that have speakers.
    """
    runs = [list(run) for _, run in groupby(segment.words, key=lambda word: word.speaker)]
    texts = _texts(segment.text, runs)
    for number, (words, text) in enumerate(zip(runs, texts, strict=True), start=1):
        part = common.Segment()
        part.CopyFrom(segment)
        del part.words[:]
        part.words.extend(words)
        part.speaker = words[0].speaker
        part.overlapped = any(word.overlapped for word in words)
        if len(runs) > 1:
            _cut(part, text, number, len(runs))
        yield part


def _cut(part: common.Segment, text: str, number: int, count: int) -> None:
    """Makes a copy of a segment the part of it that its words are."""
    part.text = text
    # What was written for the whole is written anew for each part.
    part.ClearField("clean_text")
    if number > 1:
        part.segment_id += f"{PART}{number}"
        part.start_offset.CopyFrom(part.words[0].start_offset)
    if number < count:
        part.end_offset.CopyFrom(part.words[-1].end_offset)
    known = [word.confidence for word in part.words if word.HasField("confidence")]
    if known:
        part.confidence = sum(known) / len(known)


def _texts(text: str, runs: Sequence[Sequence[common.Word]]) -> list[str]:
    """The text of each run, as it is written in the segment's text."""
    edges, place = [0], 0
    for run in runs:
        for number, word in enumerate(run):
            found = text.find(word.word.strip(), place)
            if found < 0:
                # The text does not consist of its words.
                return [" ".join(each.word.strip() for each in words) for words in runs]
            if number == 0 and run is not runs[0]:
                edges.append(found)
            place = found + len(word.word.strip())
    edges.append(len(text))
    return [text[start:end].strip() for start, end in pairwise(edges)]
