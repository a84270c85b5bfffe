"""Pages of Ogg (RFC 3533). Runs in the decoder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import av

from maie_preprocess.reader import Reader

_HEADER_BYTES: Final = 27
_LAST_PAGE: Final = 4
MAX_HEADER_BYTES: Final = 27 + 255
# A page has at most 255 segments of 255 bytes, and its header.
MAX_PAGE_BYTES: Final = 27 + 255 + 255 * 255


def has_last_page(file: Reader) -> bool:
    """Whether the file's last page has the end-of-stream flag, whatever follows it."""
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


def on_time(file: Reader, packets: Iterator[av.Packet]) -> Iterator[av.Packet]:
    """Yields packets with the times of their own pages.

    A page states the end of its last sample. FFmpeg uses that as the start of
    the next page, which would put the first page after a gap into the gap. Its
    times for Opus, which states more in each packet, are right.

    Args:
        file: The recording.
        packets: A demuxer's packets, in file order.
    """
    pages: dict[int, list[av.Packet]] = {}
    for packet in packets:
        if packet.stream.codec_context.codec.canonical_name == "opus":
            yield packet
            continue
        page = pages.setdefault(packet.stream.index, [])
        if page and packet.pos != page[0].pos:
            yield from _retimed(file, page)
            page.clear()
        page.append(packet)
    for page in pages.values():
        yield from _retimed(file, page)


def _retimed(file: Reader, page: list[av.Packet]) -> list[av.Packet]:
    first = page[0]
    header = file.at(first.pos, MAX_HEADER_BYTES) if first.pos else b""
    if len(header) < _HEADER_BYTES or first.pts is None or header[5] & _LAST_PAGE:
        # The last page states where to cut its sound.
        return page
    # A packet that continues in the next page ends there.
    ends_here = page[:-1] if header[_HEADER_BYTES + header[26] - 1] == 255 else page
    time = int.from_bytes(header[6:14], "little", signed=True)
    time -= sum(packet.duration or 0 for packet in ends_here)
    if time >= 0 and ends_here and all(packet.duration for packet in ends_here):
        for packet in page:
            packet.pts = packet.dts = time
            time += packet.duration or 0
    return page
