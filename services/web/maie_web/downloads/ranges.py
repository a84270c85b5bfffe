"""Conditional and partial requests (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*", re.ASCII | re.IGNORECASE)
# More digits than any size has, and few enough for any of Python's limits.
MOST_DIGITS = 18


@dataclass(kw_only=True, frozen=True, slots=True)
class Part:
    """A part of a file.

    Attributes:
        start: Its first byte, from 0.
        size: How many bytes it has, 1 or more.
    """

    start: int
    size: int

    def content_range(self, whole: int) -> str:
        """The value of Content-Range."""
        return f"bytes {self.start}-{self.start + self.size - 1}/{whole}"


class UnsatisfiableError(Exception):
    """A range has no byte of the file."""


def part_of(headers: Mapping[str, str], size: int, etag: str) -> Part | None:
    """The part that a request asks for; None for the whole.

    Several ranges, ranges in other units, and a range of another version of the file (If-Range)
    ask for the whole, as RFC 9110 allows.

    Args:
        headers: The request's headers.
        size: How many bytes the file has.
        etag: The file's entity tag, a strong one.

    Raises:
        UnsatisfiableError: The range has no byte of the file.
    """
    found = _ONE_RANGE.fullmatch(headers.get("range", ""))
    if found is None or headers.get("if-range", etag) != etag:
        return None
    first, last = found[1], found[2]
    if not (first or last) or max(len(first), len(last)) > MOST_DIGITS:
        return None
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= end:
        raise UnsatisfiableError
    return Part(start=start, size=end - start)


def is_known(headers: Mapping[str, str], etag: str) -> bool:
    """Whether the client has this version already (If-None-Match)."""
    known = headers.get("if-none-match", "")
    tags = (each.strip().removeprefix("W/") for each in known.split(","))
    return known.strip() == "*" or etag in tags
