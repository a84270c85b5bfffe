"""A row for each recording of many, and one for all of them, as CSV and JSON have them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from maie_core.durations import seconds
from maie_formats.readings.report import ReadingReport
from maie_formats.table import no_formula

IN_ALL = "in all"
_COUNTS = (
    *("words", "correct", "wrong", "skipped", "inserted", "repeated", "fillers", "hesitations"),
)


@dataclass(kw_only=True, frozen=True, slots=True)
class Row:
    """The figures of a recording.

    Attributes:
        recording: Its name.
        error: Why it has no figures; empty where it has them.
        files: What the names of its results begin with.
        seconds: From the start of the first word to the end of the last.
        words: The words of the text that were reached; the others as `ReadingFigures` has them.
        words_correct_per_minute: Words correct in a minute of that time.
        engine: What aligned it.
        warnings: What a person should know.
    """

    recording: str
    error: str = ""
    files: str = ""
    seconds: float = 0.0
    words: int = 0
    correct: int = 0
    wrong: int = 0
    skipped: int = 0
    inserted: int = 0
    repeated: int = 0
    fillers: int = 0
    hesitations: int = 0
    words_correct_per_minute: float = 0.0
    engine: str = ""
    warnings: tuple[str, ...] = ()


def row_of(recording: str, files: str, report: ReadingReport, warnings: Sequence[str]) -> Row:
    """The row of a reading."""
    found, engine = report.reading.figures, report.reading.engine
    return Row(
        recording=recording,
        files=files,
        seconds=round(seconds(found.duration), 3),
        **{name: getattr(found, name) for name in _COUNTS},
        words_correct_per_minute=round(found.words_correct_per_minute, 1),
        engine=f"{engine.engine} {engine.checkpoint_sha256[:12]}".strip(),
        warnings=tuple(warnings),
    )


def row_from(values: dict[str, Any]) -> Row:
    """The row of values that `asdict` made.

    Raises:
        TypeError: They are of another version.
    """
    return Row(**values | {"warnings": tuple(values.get("warnings", ()))})


def total(rows: Sequence[Row]) -> Row:
    """The sums over all recordings, and the rate over all their time."""
    length = sum(row.seconds for row in rows)
    counts = {name: sum(getattr(row, name) for row in rows) for name in _COUNTS}
    failed = sum(bool(row.error) for row in rows)
    return Row(
        recording=IN_ALL,
        error=f"{failed} of {len(rows)} failed" if failed else "",
        seconds=round(length, 3),
        **counts,
        words_correct_per_minute=round(counts["correct"] * 60 / length, 1) if length else 0.0,
    )


def as_csv(rows: Sequence[Row]) -> str:
    """A table with a line for each recording, and at last one for all."""
    made = io.StringIO()
    table = csv.writer(made, lineterminator="\n")
    names = [each.name for each in fields(Row)]
    table.writerow(names)
    for row in (*rows, total(rows)):
        table.writerow([_cell(getattr(row, name)) for name in names])
    return made.getvalue()


def as_json(rows: Sequence[Row]) -> str:
    """The rows as JSON, with the sums."""
    values = {"recordings": [asdict(row) for row in rows], "in_all": asdict(total(rows))}
    return json.dumps(values, ensure_ascii=False, indent=1) + "\n"


def _cell(value: Any) -> Any:
    if isinstance(value, tuple):
        return no_formula(" ".join(value))
    return no_formula(value) if isinstance(value, str) else value
