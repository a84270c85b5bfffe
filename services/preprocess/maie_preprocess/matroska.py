"""The length that a Matroska or WebM file states. Runs in the decoder.

The elements are those of RFC 9559, their encoding that of RFC 8794.
"""

from __future__ import annotations

from typing import Final

from maie_preprocess.reader import Reader

_HEADER: Final = 0x1A45DFA3
_SEGMENT: Final = 0x18538067
_INFO: Final = 0x1549A966
_DURATION: Final = 0x4489
_CLUSTER: Final = 0x1F43B675
# Info is among the first elements of a segment, and Duration among its children.
MAX_CHILDREN: Final = 64
# The largest size of a cluster. Recorders begin one at least every half minute, since its
# clock has 16 bits of milliseconds.
MAX_CLUSTER_BYTES: Final = 64 * 1024 * 1024
_SEARCH_BYTES: Final = 1024 * 1024


def stated_size(file: Reader) -> int | None:
    """The stated end of the segment, in bytes; None in a live recording."""
    begin, size = _segment(file)
    return begin + size if size is not None else None


def states_duration(file: Reader) -> bool:
    """Whether the file states its duration; a live recording does not."""
    offset, size = _segment(file)
    if not offset:
        return False
    info, info_end = 0, 0
    for _ in range(MAX_CHILDREN):
        ident, content, size = read_element(file, offset)
        if ident == _INFO and size is not None:
            info, info_end = content, content + size
            break
        if not ident or size is None or ident == _CLUSTER:
            return False
        offset = content + size
    for _ in range(MAX_CHILDREN):
        if info >= info_end:
            break
        ident, content, size = read_element(file, info)
        if ident == _DURATION:
            return True
        if not ident or size is None:
            break
        info = content + size
    return False


def breaks_off(file: Reader, last_position: int) -> bool:
    """Whether the file ends inside an element.

    Args:
        file: The recording.
        last_position: The offset of the last packet.
    """
    offset = _last_cluster(file, last_position)
    while offset is not None and offset < file.size:
        ident, content, size = read_element(file, offset)
        if not ident:
            # Less than a header is a truncated one; anything else is not part of the file.
            return file.size - offset < 12
        if size is None:
            if ident not in {_CLUSTER, _SEGMENT}:
                return False
            offset = content
        else:
            offset = content + size
    return offset is not None and offset > file.size


def _last_cluster(file: Reader, position: int) -> int | None:
    """The start of the cluster that contains a position."""
    ident = _CLUSTER.to_bytes(4, "big")
    end = min(position + len(ident), file.size)
    for _ in range(MAX_CLUSTER_BYTES // _SEARCH_BYTES):
        begin = max(0, end - _SEARCH_BYTES)
        place = file.at(begin, end - begin).rfind(ident)
        if place >= 0:
            return begin + place
        if not begin:
            break
        end = begin + len(ident) - 1
    return None


def _segment(file: Reader) -> tuple[int, int | None]:
    """The start of the segment's content, 0 without a segment, and its size."""
    ident, content, size = read_element(file, 0)
    if ident != _HEADER or size is None:
        return 0, None
    ident, content, size = read_element(file, content + size)
    return (content, size) if ident == _SEGMENT else (0, None)


def read_element(file: Reader, offset: int) -> tuple[int, int, int | None]:
    """An EBML element: its ID, the start of its content, and the content's size in bytes.

    The size is None if unknown; the ID is 0 if there is no element.
    """
    head = file.at(offset, 12)
    width = _width(head[0]) if head else 0
    if not 1 <= width <= 4 or len(head) <= width:
        return 0, offset, None
    size_width = _width(head[width])
    begin = width + size_width
    if size_width > 8 or len(head) < begin:
        return 0, offset, None
    unknown = (1 << 7 * size_width) - 1
    size = int.from_bytes(head[width:begin], "big") & unknown
    ident = int.from_bytes(head[:width], "big")
    return ident, offset + begin, None if size == unknown else size


def _width(first: int) -> int:
    """The size in bytes of an EBML number by its first byte; 9 if it is invalid."""
    return 9 - first.bit_length()
