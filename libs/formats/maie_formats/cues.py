"""Splits text into subtitle cues that can be read in time with the speech."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rich.cells import cell_len, set_cell_size

from maie_formats.rows import Piece, fill, joined, pieces
from maie_formats.transcript import Line

# Broadcasters' rules: two rows of 42 columns, and a reading speed of 17 columns a second
# (Netflix Timed Text Style Guide: 42 characters a row, up to 17 to 20 characters a second).
ROW_COLUMNS = 42
CUE_ROWS = 2
READ_COLUMNS_PER_SECOND = 17.0
# The least display time of a cue (20 frames of 29.97 a second in the BBC's
# and Netflix's guides are 0.67 to 0.83 s).
LEAST_SECONDS = 0.7
# Faster speech is impossible: such times are wrong and must not hide the text.
SPOKEN_COLUMNS_PER_SECOND = 35.0
# After a pause of this length, text is not shown before it is spoken.
PAUSE_SECONDS = 2.0
# A longer name would leave too little of a row for the text.
NAME_COLUMNS = 20
# For words without end times.
SPOKEN_SECONDS_PER_COLUMN = 0.1


@dataclass(kw_only=True, frozen=True, slots=True)
class Part:
    """The text of one voice in a cue.

    Attributes:
        voice: Who speaks, or the channel or track; empty if nobody knows.
        rows: The rows of text. The first has room for the voice's name.
    """

    voice: str
    rows: tuple[str, ...]


@dataclass(kw_only=True, frozen=True, slots=True)
class Cue:
    """A subtitle cue.

    Attributes:
        start: Seconds from the recording's start.
        end: Seconds from the recording's start, LEAST_SECONDS after `start` or more.
        parts: The text of each voice; one or two rows in total.
    """

    start: float
    end: float
    parts: tuple[Part, ...]


@dataclass(kw_only=True, frozen=True, slots=True)
class _Block:
    """Text of one cue, with its times.

    Attributes:
        said: The pieces of each voice, in display order.
    """

    start: float
    end: float
    said: tuple[tuple[str, tuple[Piece, ...]], ...]

    @property
    def columns(self) -> int:
        return sum(piece.columns for _, spoken in self.said for piece in spoken)

    @property
    def least_end(self) -> float:
        """The earliest end of its display."""
        return self.start + max(LEAST_SECONDS, self.columns / SPOKEN_COLUMNS_PER_SECOND)

    @property
    def read_end(self) -> float:
        """The time by which it can be read."""
        return max(self.least_end, self.start + self.columns / READ_COLUMNS_PER_SECOND)


def mark(voice: str) -> str:
    """The prefix with a voice's name, for formats without voices; a long name is cut off."""
    if cell_len(voice) > NAME_COLUMNS:
        voice = f"{set_cell_size(voice, NAME_COLUMNS - 1).rstrip()}…"
    return f"{voice}: " if voice else ""


def cues(lines: Sequence[Line]) -> Iterator[Cue]:
    """Splits lines into cues without overlap.

    A cue begins when its text is spoken. If the cue before it has not yet been
    shown for its least time, both are merged if they fit; otherwise the cue
    begins later. Cues stay until they can be read, unless the next one begins.
    """
    shown: _Block | None = None
    for block in _blocks(lines):
        if shown is None:
            shown = block
        elif (both := _together(shown, block)) is not None:
            shown = both
        else:
            start = max(block.start, shown.least_end)
            yield _cue(shown, start)
            shown = replace(block, start=start)
    if shown is not None:
        yield _cue(shown, max(shown.end, shown.read_end))


def _cue(block: _Block, next_start: float) -> Cue:
    said = sorted(block.said, key=lambda each: each[0])  # voices in a fixed order
    parts = tuple(Part(voice=voice, rows=_rows(voice, spoken)) for voice, spoken in said)
    end = min(next_start, max(block.end, block.read_end))
    return Cue(start=block.start, end=end, parts=parts)


def _together(shown: _Block, block: _Block) -> _Block | None:
    """Merges both; None if there is time for each, or no room for both."""
    voices = dict(shown.said)
    ((voice, spoken),) = block.said
    # Simultaneous speech is shown simultaneously, so that both texts can be read.
    free = shown.least_end if voice in voices else shown.read_end
    if block.start >= free or (voice not in voices and block.start >= shown.end):
        return None
    said = voices | {voice: voices.get(voice, ()) + spoken}
    if sum(len(_rows(*each)) for each in said.items()) > CUE_ROWS:
        return None
    return _Block(start=shown.start, end=max(shown.end, block.end), said=tuple(said.items()))


def _rows(voice: str, spoken: Sequence[Piece]) -> tuple[str, ...]:
    """The rows of a voice; its name needs room in the first."""
    rows, room = list[str](), _first_room(voice)
    while spoken:
        count = fill(spoken, room)
        rows.append(joined(spoken[:count]))
        spoken, room = spoken[count:], ROW_COLUMNS
    return tuple(rows)


def _first_room(voice: str) -> int:
    """The columns that a voice's name leaves in the first row."""
    return ROW_COLUMNS - cell_len(mark(voice))


def _blocks(lines: Sequence[Line]) -> list[_Block]:
    """The text of all lines in the order of speech."""
    found = [
        block
        for line, crossed in zip(lines, _crossed(lines), strict=True)
        for block in _cut(line, 1 if crossed else CUE_ROWS)
    ]
    return sorted(found, key=lambda block: block.start)


def _crossed(lines: Sequence[Line]) -> list[bool]:
    """Whether another voice speaks during each line and needs room."""
    crossed = [False] * len(lines)
    running: list[int] = []
    for at, line in enumerate(lines):
        running = [other for other in running if lines[other].end > line.start]
        for other in running:
            if lines[other].voice != line.voice:
                crossed[at] = crossed[other] = True
        running.append(at)
    return crossed


def _cut(line: Line, most_rows: int) -> Iterator[_Block]:
    room = _first_room(line.voice)
    spoken = pieces(line.text, room)
    times = _times(line, spoken)
    first = 0
    while first < len(spoken):
        run = spoken[first : _next_pause(times, first)]
        count, width = 0, room
        for _ in range(most_rows):
            count += fill(run[count:], width)
            width = ROW_COLUMNS
        last = first + count
        end = times[last - 1][1]
        if last < len(spoken) and times[last][0] - end < PAUSE_SECONDS:
            end = times[last][0]
        said = ((line.voice, tuple(spoken[first:last])),)
        yield _Block(start=times[first][0], end=end, said=said)
        first = last


def _next_pause(times: Sequence[tuple[float, float]], first: int) -> int:
    for at in range(first + 1, len(times)):
        if times[at][0] - times[at - 1][1] >= PAUSE_SECONDS:
            return at
    return len(times)


def _times(line: Line, spoken: Sequence[Piece]) -> list[tuple[float, float]]:
    """The time of each piece: by the times of its word, or else by its share of the columns."""
    spans = _word_spans(line)
    columns = [max(1, piece.columns) for piece in spoken]
    of_word: dict[int, int] = {}
    for piece, width in zip(spoken, columns, strict=True):
        key = piece.word if spans else 0
        of_word[key] = of_word.get(key, 0) + width
    taken: dict[int, int] = {}
    times, least = list[tuple[float, float]](), line.start
    for piece, width in zip(spoken, columns, strict=True):
        key = piece.word if spans else 0
        start, end = spans[key] if spans else (line.start, line.end)
        before = taken.get(key, 0)
        taken[key] = before + width
        begins = start + (end - start) * before / of_word[key]
        ends = start + (end - start) * taken[key] / of_word[key]
        begins = min(max(begins, least), line.end)
        least = begins
        times.append((begins, min(max(ends, begins), line.end)))
    return times


def _word_spans(line: Line) -> list[tuple[float, float]]:
    """The time of each word; empty if unknown."""
    if not line.word_times:
        return []
    spans = []
    words = zip(line.text.split(), pairwise([*line.word_times, (line.end, line.end)]), strict=True)
    for word, ((start, end), (after, _)) in words:
        guess = min(max(after, start), start + len(word) * SPOKEN_SECONDS_PER_COLUMN)
        spans.append((start, end if end > start else guess))
    return spans
