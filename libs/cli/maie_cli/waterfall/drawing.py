"""Draws a waterfall, on a terminal of any width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TypeVar

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from maie_cli.waterfall.rows import Kind, Row, Waterfall

# Told apart without colours, too.
GLYPHS = {Kind.QUEUED: "·", Kind.OPEN: "╌", Kind.RUNS: "▒", Kind.WORKS: "█"}
STYLES = {
    Kind.QUEUED: "bright_black",
    Kind.OPEN: "yellow",
    Kind.RUNS: "cyan",
    Kind.WORKS: "cyan",
}
BAD_STYLES = STYLES | {Kind.RUNS: "red", Kind.WORKS: "red"}
LEGEND = (
    (Kind.QUEUED, "queued"),
    (Kind.RUNS, "runs"),
    (Kind.WORKS, "of that, the engine"),
    (Kind.OPEN, "not ended"),
)
LEVELS = " ▁▂▃▄▅▆▇█"
GAP = 2
FIGURE_COLUMNS = 7
LEAST_BAR, MOST_BAR = 16, 100
Shown = TypeVar("Shown")
FIGURES = ("queue", "run", "engine")


class Drawing:
    """A waterfall to be printed.

    Args:
        waterfall: The rows.
    """

    def __init__(self, waterfall: Waterfall) -> None:
        self._rows = waterfall.rows
        self._length = waterfall.length
        self._labels = max([cell_len(row.label) for row in self._rows], default=0)
        self._notes = max([cell_len(row.note) for row in self._rows], default=0)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        figures, notes, bar = self._layout(options.max_width)
        yield self._head(figures, bar)
        for row in self._rows:
            yield from self._line(row, figures, notes, bar)
        yield self._legend()

    def _layout(self, width: int) -> tuple[int, bool, int]:
        """How many figures there are, whether notes are beside them, and the columns of bars."""
        left = width - self._labels - GAP
        for figures, notes in ((3, True), (3, False), (2, False), (1, False), (0, False)):
            taken = figures * FIGURE_COLUMNS + (GAP + self._notes if notes and self._notes else 0)
            bar = left - taken
            if bar >= LEAST_BAR or not figures:
                return figures, notes, max(min(bar, MOST_BAR), 1)
        raise AssertionError("the last layout always fits")

    def _head(self, figures: int, bar: int) -> Text:
        axis = _axis(self._length, bar)
        titles = "".join(title.rjust(FIGURE_COLUMNS) for title in _shown(FIGURES, figures))
        return Text(" " * (self._labels + GAP) + axis + titles, style="dim", no_wrap=True)

    def _line(self, row: Row, figures: int, notes: bool, bar: int) -> Iterator[Text]:
        line = Text(no_wrap=True)
        label = row.label + " " * (self._labels - cell_len(row.label) + GAP)
        line.append(label, style="bold" if row.crowd else "")
        line.append_text(
            _crowd(row, self._length, bar) if row.crowd else _bar(row, self._length, bar)
        )
        for value in _shown((row.queued, row.ran, row.worked), figures):
            line.append(_figure(value).rjust(FIGURE_COLUMNS), style="dim" if row.crowd else "")
        style = "red" if row.is_bad else "dim"
        if row.note and notes:
            line.append(" " * GAP + row.note, style=style)
        line.rstrip()
        yield line
        if row.note and not notes:
            yield Text(" " * (self._labels + GAP) + row.note, style=style)

    def _legend(self) -> Text:
        shown = {part.kind for row in self._rows for part in row.parts if part.end > part.begin}
        texts = [
            Text.assemble((GLYPHS[kind], STYLES[kind]), (f" {name}", "dim"))
            for kind, name in LEGEND
            if kind in shown
        ]
        if any(row.crowd for row in self._rows):
            texts.append(Text("▁▅█ how many ran at once", style="dim"))
        return Text("   ").join(texts)


def _bar(row: Row, length: float, columns: int) -> Text:
    """The bar of an attempt: each column shows what took most of its time."""
    cells: list[Kind | None] = [None] * columns
    for part in sorted(row.parts, key=lambda part: part.kind):
        if part.end <= part.begin:
            continue
        first = min(int(part.begin / length * columns), columns - 1)
        last = max(first + 1, round(part.end / length * columns))
        cells[first:last] = [part.kind] * (min(last, columns) - first)
    styles = BAD_STYLES if row.is_bad else STYLES
    text = Text()
    for kind, run in groupby(cells):
        many = len(list(run))
        text.append(
            " " * many if kind is None else GLYPHS[kind] * many,
            "" if kind is None else styles[kind],
        )
    return text


def _crowd(row: Row, length: float, columns: int) -> Text:
    """How many of a stage's attempts ran at once, column by column."""
    width = length / columns
    counts = [
        sum(_overlap(span, column * width, (column + 1) * width) for span in row.crowd) / width
        for column in range(columns)
    ]
    most = max(counts) or 1.0
    top = len(LEVELS) - 1
    return Text(
        "".join(LEVELS[min(top, -int(-count / most * top // 1))] for count in counts),
        style=STYLES[Kind.WORKS],
    )


def _overlap(span: tuple[float, float], begin: float, end: float) -> float:
    return max(0.0, min(span[1], end) - max(span[0], begin))


def _axis(length: float, columns: int) -> str:
    """The beginning and the end of the time axis, and its middle where there is room."""
    marks = [(0, "0"), (columns - 1, f"{_figure(length)} s")]
    if columns >= 40:
        marks.insert(1, (columns // 2, _figure(length / 2)))
    line = [" "] * columns
    for place, text in marks:
        begin = min(max(place - len(text) // 2, 0), max(columns - len(text), 0))
        line[begin : begin + len(text)] = text
    return "".join(line)[:columns]


def _figure(seconds: float | None) -> str:
    """Seconds in at most six columns."""
    if seconds is None:
        return ""
    if seconds < 9.995:
        return f"{seconds:.2f}"
    return f"{seconds:.1f}" if seconds < 999.95 else f"{seconds:.0f}"


def _shown(values: Sequence[Shown], count: int) -> list[Shown]:
    """As many figures as there is room for: the run first, then the queue, then the engine."""
    kept = {3: (0, 1, 2), 2: (0, 1), 1: (1,), 0: ()}[count]
    return [values[place] for place in kept]
