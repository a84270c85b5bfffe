"""Elements of EBML (RFC 8794) in a buffer. Runs in the decoding process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from maie_audio.formats import damaged


class Element(NamedTuple):
    """The head of an element.

    Attributes:
        ident: Its ID, with the marker of its length.
        content: The offset of its content.
        size: The size of its content in bytes; None if unknown.
    """

    ident: int
    content: int
    size: int | None


def read_head(data: bytes | bytearray, at: int) -> Element | None:
    """The head of the element at an offset; None if it is not whole.

    Raises:
        RefusedError: AUDIO_PART_INVALID: there is none.
    """
    if at >= len(data):
        return None
    width = _width(data[at])
    if width > 4:
        raise damaged("The WebM stream has no element where one should begin")
    ident = int.from_bytes(data[at : at + width], "big")
    size = read_number(data, at + width)
    return None if size is None else Element(ident, size.end, size.value)


class Number(NamedTuple):
    """A number of variable width: its value, None if unknown, and the offset after it."""

    value: int | None
    end: int


def read_number(data: bytes | bytearray, at: int) -> Number | None:
    """The number at an offset; None if it is not whole.

    Raises:
        RefusedError: AUDIO_PART_INVALID: there is none.
    """
    if at >= len(data):
        return None
    width = _width(data[at])
    if width > 8:
        raise damaged("The WebM stream has an element without a size")
    end = at + width
    if end > len(data):
        return None
    unknown = (1 << 7 * width) - 1
    value = int.from_bytes(data[at:end], "big") & unknown
    return Number(None if value == unknown else value, end)


def children(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements in the content of a whole element.

    Raises:
        RefusedError: AUDIO_PART_INVALID: one exceeds its parent.
    """
    at = 0
    while at < len(data):
        child = read_head(data, at)
        if child is None or child.size is None or child.content + child.size > len(data):
            raise damaged("The WebM stream has an element that exceeds its parent")
        at = child.content + child.size
        yield child.ident, data[child.content : at]


def _width(first: int) -> int:
    """The size in bytes of a number by its first byte; 9 if it is none."""
    return 9 - first.bit_length()
