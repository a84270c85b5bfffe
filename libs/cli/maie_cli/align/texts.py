"""The texts that should have been read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from maie_core.limits import MAX_READING_TEXT_CHARACTERS

# What is longer in UTF-8 has too many characters, whatever they are.
_MOST_BYTES = 4 * MAX_READING_TEXT_CHARACTERS
# A table has the texts of many recordings.
_MOST_TABLE_BYTES = 1024**3
_RECORDING, _TEXT, _FILE = "recording", "text", "text_file"
_WORD = re.compile(r"[^\W_]")


class TextError(Exception):
    """A text, or a table of texts, cannot be used; says why and what to do."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Wanted:
    """A line of a table: a recording and its text.

    Attributes:
        recording: The recording's name within its folder or bucket.
        text: The text; empty where there is an error.
        error: Why there is none.
    """

    recording: str
    text: str = ""
    error: str = ""


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        TextError: The file is no text, or has no words or too many.
        OSError: It cannot be read.
    """
    return _checked(_decoded(_content(path, _MOST_BYTES), path), str(path))


def read_table(path: Path) -> list[Wanted]:
    """The lines of a table in CSV with the columns `recording`, and `text` or `text_file`.

    Paths of `text_file` begin in the table's folder. A line whose text cannot be used has the
    reason instead.

    Raises:
        TextError: It is no such table.
        OSError: It cannot be read.
    """
    content = _decoded(_content(path, _MOST_TABLE_BYTES), path)
    csv.field_size_limit(_MOST_BYTES)
    try:
        return list(_lines(csv.DictReader(io.StringIO(content, newline="")), path))
    except csv.Error as error:
        raise TextError(f"{path} is no table in CSV: {error}.") from error


def _lines(table: csv.DictReader[str], path: Path) -> Iterator[Wanted]:
    columns = set(table.fieldnames or ())
    if _RECORDING not in columns or not columns & {_TEXT, _FILE}:
        raise TextError(
            f"{path} needs a first line with the columns {_RECORDING}, and {_TEXT} or {_FILE}."
        )
    known: set[str] = set()
    for line in table:
        recording = (line[_RECORDING] or "").strip()
        if not recording:
            continue
        if recording in known:
            raise TextError(f"{path} has {recording} twice, at line {table.line_num}.")
        known.add(recording)
        try:
            text = _of_line(line, path, f"line {table.line_num} of {path}")
        except (TextError, OSError) as error:
            yield Wanted(recording=recording, error=str(error))
        else:
            yield Wanted(recording=recording, text=text)


def _of_line(line: dict[str, str], path: Path, where: str) -> str:
    if file := (line.get(_FILE) or "").strip():
        return read_text(path.parent / file)
    return _checked(line.get(_TEXT) or "", where)


def _content(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise TextError(f"{path} is too large; a text has at most {_LIMIT}.")
    return content


def _decoded(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TextError(f"{path} is not UTF-8 at byte {error.start}; save it as UTF-8.") from error


_LIMIT = f"{MAX_READING_TEXT_CHARACTERS:,} characters; cut it and its recording into parts"


def _checked(text: str, where: str) -> str:
    if not text.strip():
        raise TextError(f"{where} is empty; it needs the text that should have been read.")
    if not _WORD.search(text):
        raise TextError(f"{where} has no words; it needs the text that should have been read.")
    if len(text) > MAX_READING_TEXT_CHARACTERS:
        raise TextError(f"{where} is too long; a text has at most {_LIMIT}.")
    return text
