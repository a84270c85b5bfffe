"""Frames of AMR (RFC 4867). Runs in the decoder."""

from __future__ import annotations

from typing import Final

from maie_preprocess.reader import Reader

_WIDE_MAGIC: Final = b"#!AMR-WB"
# The size of a frame by its type, with its first byte; 0 for reserved types.
_NARROW: Final = (13, 14, 16, 18, 20, 21, 27, 32, 6, 0, 0, 0, 0, 0, 0, 1)
_WIDE: Final = (18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 0, 0, 0, 0, 1, 1)
# The bits of the first byte that are always 0, and the quality bit of a good frame.
_PADDING: Final = 0x83
_GOOD: Final = 0x04


def is_frame(data: bytes) -> bool:
    """Whether a packet begins with the header of a good frame."""
    return bool(data) and not data[0] & _PADDING and bool(data[0] & _GOOD)


def breaks_off(file: Reader, last_position: int) -> bool:
    """Whether the last frame is truncated."""
    head = file.at(last_position, 1)
    sizes = _WIDE if file.at(0, len(_WIDE_MAGIC)) == _WIDE_MAGIC else _NARROW
    return bool(head) and last_position + sizes[head[0] >> 3 & 15] > file.size
