"""A reading as Markdown: the figures, the text as it was read, and what differs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from maie.alignment.v1 import alignment_pb2 as alignment
from maie_formats.clean import plain
from maie_formats.markdown import escape
from maie_formats.readings.report import (
    LABELS,
    Piece,
    ReadingReport,
    class_of,
    differing,
    figures,
    pieces,
    span,
)
from maie_formats.transcript import clock

_MARKS = {
    "correct": "{}",
    "doubtful": "{}(?)",
    "wrong": "**{}**",
    "skipped": "~~{}~~",
    "not_reached": "[{}]",
    "inserted": "*+{}*",
    "repeated": "*↻{}*",
    "filler": "*~{}*",
}
_PARAGRAPH = re.compile(r"[^\S\n]*\n\s*\n\s*")


def markdown(report: ReadingReport) -> str:
    """Formats a reading as a document."""
    parts = [
        f"# Reading of {escape(report.name) or 'a text'}",
        _table(("figure", "value"), figures(report).items()),
        "## The text as it was read",
        _read(report),
        _legend(report),
    ]
    if rows := list(_rows(report)):
        parts += ["## Words to look at", _table(("time", "word", "what", "heard", "score"), rows)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _read(report: ReadingReport) -> str:
    made = "".join(map(_piece, pieces(report)))
    # Line breaks within a paragraph are no breaks in Markdown; leading spaces would mean code.
    paragraphs = (" ".join(part.split()) for part in _PARAGRAPH.split(made))
    return "\n\n".join(part for part in paragraphs if part)


def _piece(piece: Piece) -> str:
    if isinstance(piece, str):
        return _between(piece)
    if isinstance(piece, alignment.Pause):
        start, end = span(piece.range)
        return f"‖{end - start:.1f} s‖ " if piece.hesitation else ""
    return _marked(class_of(piece), piece.text)


def _between(text: str) -> str:
    """The text between two words, with its line breaks."""
    return "\n".join(_escaped(line) for line in text.split("\n"))


def _escaped(line: str) -> str:
    lead = " " if line[:1].isspace() else ""
    trail = " " if line.strip() and line[-1:].isspace() else ""
    return f"{lead}{escape(line)}{trail}"


def _marked(kind: str, text: str) -> str:
    return _MARKS.get(kind, "{}").format(escape(text))


def _legend(report: ReadingReport) -> str:
    there = {class_of(word) for word in report.reading.words} - {"correct"}
    marks = [f"{_marked(kind, 'word')} {label}" for kind, label in LABELS.items() if kind in there]
    if report.reading.figures.hesitations:
        marks.append("‖seconds‖ hesitation")
    return f"Marks: {'; '.join(marks)}." if marks else ""


def _rows(report: ReadingReport) -> Iterator[tuple[str, ...]]:
    for _, word in differing(report):
        yield (
            clock(span(word.range)[0]) if word.HasField("range") else "",
            plain(word.text),
            LABELS[class_of(word)],
            plain(word.heard),
            f"{word.score:.2f}" if word.HasField("score") else "",
        )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
