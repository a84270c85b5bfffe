"""A table with a row for each segment, as spreadsheets and programs read it."""

from __future__ import annotations

from maie.job.v1 import job_pb2 as job
from maie_formats.transcript import Line, lines

# The columns of Whisper's own tables, and the speaker, channel or track.
HEADER = ("start", "end", "text", "voice")
# What spreadsheets take for a formula; an apostrophe before it makes it text.
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@")


def tsv(results: job.JobResults) -> str:
    """The segments, separated by tabs, with times in milliseconds; without any, the header."""
    rows = [HEADER, *map(_row, lines(results))]
    return "".join("\t".join(row) + "\n" for row in rows)


def _row(line: Line) -> tuple[str, ...]:
    start, end = str(round(line.start * 1000)), str(round(line.end * 1000))
    return start, end, no_formula(line.text), no_formula(line.voice)


def no_formula(text: str) -> str:
    """The text, so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
