"""The numbered lines of a recording, and how to divide them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate

from maie_summary.engine import Notes, Segment
from maie_summary.llm.prompt import Line

Lines = tuple[Line, ...]


def notes_of(segments: Sequence[Segment], language_code: str) -> Notes:
    """The notes on a part: all of its words, since a model may need any."""
    lines = [
        [segment.segment_id, segment.text, segment.speaker]
        for segment in segments
        if segment.text.strip()
    ]
    return {"lines": lines, "language_code": language_code}


def read_notes(
    parts: Sequence[Notes], speakers: Mapping[str, str]
) -> tuple[Lines, dict[int, str], str]:
    """All lines in recording order, the segment of each number, and the language.

    Args:
        parts: The notes on all parts.
        speakers: What people call each speaker.
    """
    said = [line for part in parts for line in part["lines"]]
    lines = tuple(
        Line(number=at, text=text, speaker=speakers.get(speaker, ""))
        for at, (_, text, speaker) in enumerate(said, 1)
    )
    segment_ids = {at: segment_id for at, (segment_id, *_) in enumerate(said, 1)}
    languages = (part["language_code"] for part in parts)
    return lines, segment_ids, next(filter(None, languages), "")


def halves(lines: Lines) -> tuple[Lines, Lines] | None:
    """Splits lines in two halves of about the same length; None for a single character.

    A single line is divided between words, or else within one; both
    halves keep its number.
    """
    if len(lines) > 1:
        ends = list(accumulate(len(line.text) for line in lines))
        at = min(range(1, len(lines)), key=lambda at: abs(ends[at - 1] - ends[-1] / 2))
        return lines[:at], lines[at:]
    [line] = lines
    text = line.text.strip()
    if len(text) < 2:
        return None
    at = len(text) // 2
    spaces = [place for place in range(1, len(text)) if text[place].isspace()]
    at = min(spaces, key=lambda place: abs(place - at), default=at)
    return (
        (replace(line, text=text[:at]),),
        (replace(line, text=text[at:]),),
    )
