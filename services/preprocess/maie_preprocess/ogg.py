"""Pages of Ogg (RFC 3533). Runs in the decoder."""

from __future__ import annotations

from typing import Final

from maie_preprocess.reader import Reader

_HEADER_BYTES: Final = 27
_LAST_PAGE: Final = 4
# A page has at most 255 segments of 255 bytes, and its header.
MAX_PAGE_BYTES: Final = 27 + 255 + 255 * 255


def has_last_page(file: Reader) -> bool:
    """Whether the file ends with a page that says so, whatever lies behind it."""
    begin = max(0, file.size - 2 * MAX_PAGE_BYTES)
    data = file.at(begin, 2 * MAX_PAGE_BYTES)
    place = data.rfind(b"OggS")
    while place >= 0:
        header = data[place : place + _HEADER_BYTES]
        if len(header) == _HEADER_BYTES and header[4] == 0:
            segments = data[place + _HEADER_BYTES : place + _HEADER_BYTES + header[26]]
            whole = place + _HEADER_BYTES + header[26] + sum(segments) <= len(data)
            return whole and bool(header[5] & _LAST_PAGE)
        place = data.rfind(b"OggS", 0, place)
    return False
