"""Subtitle cues: short enough to read, in time with the speech."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from maie_cli.formats.transcript import Line

# What broadcasters ask for: two lines of 42 characters (Netflix Timed Text Style Guide).
LINE_CHARACTERS = 42
CUE_LINES = 2
# A cue of no length is never shown; players round to milliseconds.
MIN_CUE_SECONDS = 0.001


@dataclass(kw_only=True, frozen=True, slots=True)
class Cue:
    """What is on the screen for a while.

    Attributes:
        start: Seconds from the recording's start.
        end: Seconds from the recording's start, after `start`.
        rows: One or two rows of text.
    """

    start: float
    end: float
    rows: tuple[str, ...]


def cues(lines: list[Line]) -> Iterator[Cue]:
    """Cuts each line into cues that follow each other without overlap."""
    busy_until = 0.0
    for line in lines:
        for cue in _cut(line):
            start = max(cue.start, busy_until)
            end = max(cue.end, start + MIN_CUE_SECONDS)
            yield Cue(start=start, end=end, rows=cue.rows)
            busy_until = end


def _cut(line: Line) -> Iterator[Cue]:
    rows = textwrap.wrap(line.text, LINE_CHARACTERS, break_on_hyphens=False) or [line.text]
    blocks = [tuple(rows[at : at + CUE_LINES]) for at in range(0, len(rows), CUE_LINES)]
    starts = list(_starts(line, blocks))
    for block, start, end in zip(blocks, starts, [*starts[1:], line.end], strict=True):
        yield Cue(start=start, end=end, rows=block)


def _starts(line: Line, blocks: list[tuple[str, ...]]) -> Iterator[float]:
    """When each block begins: with its first word, or else by its share of the characters."""
    words = characters = 0
    total = max(1, sum(_size(block) for block in blocks))
    for block in blocks:
        if 0 < words < len(line.word_starts):
            yield min(max(line.word_starts[words], line.start), line.end)
        else:
            yield line.start + (line.end - line.start) * characters / total
        words += sum(len(row.split()) for row in block)
        characters += _size(block)


def _size(block: tuple[str, ...]) -> int:
    return sum(len(row) for row in block)
