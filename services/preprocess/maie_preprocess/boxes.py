"""The boxes of an MP4, MOV or 3GP file (ISO 14496-12). Runs in the decoder."""

from __future__ import annotations

from typing import Final

from maie_preprocess.reader import Reader

FIRST: Final = frozenset({b"ftyp", b"styp", b"moov", b"mdat", b"wide", b"free", b"skip", b"moof"})
_HEADER_BYTES: Final = 8
# The most boxes on one level; a recording of a day has fewer fragments.
MAX_BOXES: Final = 500_000
# Something else may follow the last box, such as a tag; more bytes than this are a lost part.
MAX_TRAILER_SHARE: Final = 0.01


def stated_size(file: Reader) -> int | None:
    """The stated end of the last box, in bytes; None if not stated."""
    end, _ = _walk(file)
    return end


def is_broken(file: Reader) -> bool:
    """Whether a fragmented file has something else between its fragments.

    The fragments after that cannot be found, and no header states them.
    """
    end, fragmented = _walk(file)
    return fragmented and end is not None and end < file.size * (1 - MAX_TRAILER_SHARE)


def _walk(file: Reader) -> tuple[int | None, bool]:
    """Walks the boxes: the end of the last one, and whether there are fragments."""
    offset, fragmented = 0, False
    for _ in range(MAX_BOXES):
        header = file.at(offset, 2 * _HEADER_BYTES)
        kind = header[4:8]
        if len(header) < _HEADER_BYTES or not kind.isalnum():
            return offset, fragmented
        fragmented = fragmented or kind == b"moof"
        size = int.from_bytes(header[:4], "big")
        if size == 1:
            size = int.from_bytes(header[8:], "big")
        if size < _HEADER_BYTES:
            # 0 is a last box that extends to the end of the file.
            return (offset if size else None), fragmented
        offset += size
    return None, fragmented
