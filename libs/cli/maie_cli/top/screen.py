"""The mesh as tables that fit their terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from operator import mul

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from maie.catalog.v1 import catalog_pb2 as catalog
from maie_cli.listing import GAP
from maie_cli.top.sections import Row, Section, failures, parts, queues, running, summary
from maie_formats.clean import plain

# Of a terminal with fewer lines, the lanes of a stage share one.
TALL_LINES = 30
# How many rows of each section are kept before others get more.
LEAST_ROWS = 2
# Longer without an answer, what is shown is said to be old.
SILENT_SECONDS = 3.0


@dataclass(kw_only=True, slots=True)
class Screen:
    """What the gateway said last, drawn as large as there is room.

    Attributes:
        gateway: Its HOST:PORT.
        mesh: What it said.
        said: When it did, by the monotonic clock.
        trouble: Why it says nothing more; empty while it answers.
        keys: Whether keys are read.
    """

    gateway: str
    mesh: catalog.GetMeshResponse
    said: float
    trouble: str = ""
    keys: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        # Where there is no terminal, there is room for all.
        height = (options.height or console.height) if console.is_terminal else None
        now = time.time()
        head = [self._title(now), *summary(self.mesh)]
        lines = sum(len(text.wrap(console, width)) for text in head)
        is_tall = height is None or height >= TALL_LINES
        shown = [
            queues(self.mesh, by_lane=is_tall),
            parts(self.mesh, now),
            running(self.mesh, now),
            failures(self.mesh),
        ]
        sections = [section for section in shown if section.rows]
        rooms = _rooms(sections, None if height is None else height - lines, width)
        yield from head
        for section, room in zip(sections, rooms, strict=True):
            if room:
                yield Text()
                yield from _drawn(section, room, width)

    def _title(self, now: float) -> Text:
        title = Text.assemble(
            ("maie top", "bold"), f"  {plain(self.gateway)}  {plain(self.mesh.version)}  "
        )
        silent = time.monotonic() - self.said
        if self.trouble or silent > SILENT_SECONDS:
            problem = plain(self.trouble) or "The gateway does not answer."
            return title.append(f"{problem} What is shown is {silent:.0f} s old.", "bold yellow")
        title.append(time.strftime("%H:%M:%S", time.localtime(now)))
        return title.append("  q quits", "dim") if self.keys else title


def _rooms(sections: Sequence[Section], height: int | None, width: int) -> list[int]:
    """How many rows each section gets: all, or a few and then the first ones as many as fit."""
    wanted = [len(section.rows) for section in sections]
    if height is None:
        return wanted
    each = [_lines_of_row(section, width) for section in sections]
    rooms = [min(LEAST_ROWS, count) for count in wanted]
    # Each has a blank line and a header.
    left = height - 2 * len(sections) - sum(map(mul, rooms, each))
    for place, count in enumerate(wanted):
        more = max(0, min(count - rooms[place], left // each[place]))
        rooms[place] += more
        left -= more * each[place]
    return rooms


def _lines_of_row(section: Section, width: int) -> int:
    """How many lines a row takes: more than one where a column folds."""
    taken, folded = 0, 0
    for place in _fitting(section, section.rows, width):
        longest = max(row[place].cell_len for row in section.rows)
        if section.columns[place].folds:
            folded = longest
        else:
            taken += max(len(section.columns[place].title), longest) + GAP
    return max(1, ceil(folded / max(1, width - taken)))


def _drawn(section: Section, room: int, width: int) -> Iterator[RenderableType]:
    """The table of a section, without the columns for which there is no room."""
    rows = section.rows[:room]
    if len(rows) < len(section.rows):
        rows = rows[:-1] or rows
    columns = _fitting(section, rows, width)
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="dim")
    for place in columns:
        column = section.columns[place]
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            no_wrap=not column.folds,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(row[place] for place in columns))
    yield table
    if hidden := len(section.rows) - len(rows):
        yield Text(f"{hidden} more", style="dim")


def _fitting(section: Section, rows: Sequence[Row], width: int) -> list[int]:
    """The places of the columns that fit; those that matter least go first."""
    places = list(range(len(section.columns)))

    def taken(place: int) -> int:
        column = section.columns[place]
        longest = max((row[place].cell_len for row in rows), default=0)
        least = min(longest, column.folds) if column.folds else longest
        return max(len(column.title), least) + GAP

    while sum(map(taken, places)) > width + GAP and len(places) > 1:
        places.remove(max(places, key=lambda place: section.columns[place].rank))
    return places
