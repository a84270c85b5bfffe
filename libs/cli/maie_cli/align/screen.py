"""A reading on a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from maie.alignment.v1 import alignment_pb2 as alignment
from maie_formats.clean import plain
from maie_formats.readings.report import (
    LABELS,
    Piece,
    ReadingReport,
    class_of,
    figures,
    pieces,
    span,
)

# The mark of a word is seen without colours, too.
_MARKS = {
    "correct": ("{}", ""),
    "doubtful": ("{}?", "yellow"),
    "wrong": ("✗{}", "bold red"),
    "skipped": ("-{}-", "strike magenta"),
    "not_reached": ("[{}]", "dim"),
    "inserted": ("+{}", "italic cyan"),
    "repeated": ("↻{}", "italic cyan"),
    "filler": ("~{}", "italic cyan"),
}
_COLUMNS = 4


def print_reading(console: Console, report: ReadingReport) -> None:
    """Prints the figures, and the text with what became of each word."""
    text = Text()
    for piece in pieces(report):
        text.append(_shown(piece))
    console.print(_figures(report))
    console.print(
        Panel(
            Group(text, Text(), _legend(report)),
            title=Text(f"reading of {plain(report.name)}"),
            title_align="left",
            border_style="cyan",
            padding=(1, 2),
        )
    )


def _figures(report: ReadingReport) -> Table:
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    cells = [
        Text.assemble((f"{value} ", "bold"), (name, "dim"))
        for name, value in figures(report).items()
    ]
    for first in range(0, len(cells), _COLUMNS):
        table.add_row(*cells[first : first + _COLUMNS])
    return table


def _shown(piece: Piece) -> Text:
    if isinstance(piece, str):
        # A line break within a paragraph is none here; a blank line is.
        paragraphs = "\n\n" if piece.count("\n") > 1 else ""
        return Text(f"{plain(piece)}{paragraphs}{_space(piece) * (not paragraphs)}")
    if isinstance(piece, alignment.Pause):
        start, end = span(piece.range)
        return Text(f"‖{end - start:.1f} s‖ " if piece.hesitation else "", style="yellow")
    heard = f" ({plain(piece.heard)})" if piece.heard else ""
    return _marked(class_of(piece), f"{plain(piece.text)}{heard}")


def _space(text: str) -> str:
    return " " if text[-1:].isspace() else ""


def _marked(kind: str, text: str) -> Text:
    mark, style = _MARKS.get(kind, ("{}", ""))
    return Text(mark.format(text), style=style)


def _legend(report: ReadingReport) -> Text:
    there = {class_of(word) for word in report.reading.words} - {"correct"}
    parts = [
        Text.assemble(_marked(kind, "word"), (f" {label}", "dim"))
        for kind, label in LABELS.items()
        if kind in there
    ]
    if report.reading.figures.hesitations:
        parts.append(Text("‖seconds‖ hesitation", style="dim"))
    return Text("   ").join(parts)
