"""The size that a file states in its headers. Runs in the decoder.

A container with nested parts states their sizes, so a missing end or a missing
piece can be detected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from maie_preprocess import asf, boxes, matroska
from maie_preprocess.reader import Reader

# Programs that write into a pipe do not know the length and write the largest number,
# signed or unsigned, or one close to it.
PLACEHOLDER: Final = 0x7FFF0000
# The most parts on one level; a recording of a day has fewer fragments.
MAX_PARTS: Final = 500_000
_W64_RIFF: Final = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_BOX_HEADER: Final = 8


def stated_size(file: Reader) -> int | None:
    """The stated end of the file's last part, in bytes; None if not stated.

    More than the file's size means that a part of it is missing.
    """
    head = file.at(0, 16)
    for magic, size in _SIZES.items():
        if head.startswith(magic):
            return size(file)
    return boxes.stated_size(file) if head[4:8] in boxes.FIRST else None


def _riff(file: Reader) -> int | None:
    size = int.from_bytes(file.at(4, 4), "little")
    return size + _BOX_HEADER if 0 < size < PLACEHOLDER else None


def _rifx(file: Reader) -> int | None:
    size = int.from_bytes(file.at(4, 4), "big")
    return size + _BOX_HEADER if 0 < size < PLACEHOLDER else None


def _rf64(file: Reader) -> int | None:
    # The first chunk is ds64 and begins with the size that did not fit.
    if file.at(12, 4) != b"ds64":
        return None
    size = int.from_bytes(file.at(20, 8), "little")
    return size + _BOX_HEADER if 0 < size < PLACEHOLDER << 32 else None


def _w64(file: Reader) -> int | None:
    size = int.from_bytes(file.at(16, 8), "little")
    return size if 0 < size < PLACEHOLDER << 32 else None


def _caf(file: Reader) -> int | None:
    offset = 8
    for _ in range(MAX_PARTS):
        header = file.at(offset, 12)
        if len(header) < 12:
            return offset
        size = int.from_bytes(header[4:], "big", signed=True)
        if size < 0:
            return None
        offset += 12 + size
    return None


_SIZES: Final[dict[bytes, Callable[[Reader], int | None]]] = {
    b"RIFF": _riff,
    b"RIFX": _rifx,
    b"FORM": _rifx,
    b"RF64": _rf64,
    _W64_RIFF: _w64,
    b"caff": _caf,
    asf.MAGIC: asf.stated_size,
    b"\x1a\x45\xdf\xa3": matroska.stated_size,
}
