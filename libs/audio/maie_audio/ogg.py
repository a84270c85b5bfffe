"""Opus in pages of Ogg (RFC 3533, RFC 7845), as they come. Runs in the decoding process."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, cast

from maie_audio import opus
from maie_audio.formats import damaged, other_format
from maie_audio.packets import Head, Packet, State

_MAGIC: Final = b"OggS"
# Magic, version, flags, position, serial number, page number, checksum, segments.
_PAGE: Final = struct.Struct("<4sBBqIIIB")
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_NO_POSITION: Final = -1
_FULL_SEGMENT: Final = 255
# 120 ms at 510 kbit/s, the most that Opus has, are 7,650 bytes.
_MAX_FRAGMENT_BYTES: Final = 8 * 1024


class OggReader:
    """Finds the packets of the first Opus stream.

    Args:
        state: Of the reader that this one continues; None at the beginning.
        pending: Its pending bytes: the fragment of a packet, then that of a page.
    """

    def __init__(self, state: State | None, pending: bytes) -> None:
        state = state or {}
        split = cast(int, state.get("fragment", 0))
        self._fragment = bytearray(pending[:split])
        self._page = bytearray(pending[split:])
        self._serial = cast("int | None", state.get("serial"))
        self._in_tags = bool(state.get("in_tags", False))
        # The position after the last page, in samples.
        self._end = cast("int | None", state.get("end"))

    @property
    def pending(self) -> bytearray:
        """See `Reader`."""
        return self._fragment + self._page

    def state(self) -> State:
        """See `Reader`."""
        return {
            "fragment": len(self._fragment),
            "serial": self._serial,
            "in_tags": self._in_tags,
            "end": self._end,
        }

    def uncertain(self) -> Packet | None:
        """See `Reader`."""
        return None

    def accept(self) -> None:
        """See `Reader`."""

    def push(self, data: bytes) -> Iterator[Head | Packet]:
        """See `Reader`."""
        self._page += data
        at = 0
        while size := self._page_size(at):
            page = bytes(self._page[at : at + size])
            at += size
            yield from self._read(page)
        del self._page[:at]

    def _page_size(self, at: int) -> int:
        """The size of the page at an offset; 0 if it is not whole."""
        begin = self._page[at : at + len(_MAGIC)]
        if not _MAGIC.startswith(begin):
            if self._serial is None:
                raise other_format("The audio is not Ogg")
            raise damaged("A page of Ogg does not begin where the one before it ends")
        body = at + _PAGE.size
        if len(self._page) < body:
            return 0
        segments = self._page[body - 1]
        size = _PAGE.size + segments + sum(self._page[body : body + segments])
        return size if len(self._page) - at >= size else 0

    def _read(self, page: bytes) -> Iterator[Head | Packet]:
        _, version, flags, position, serial, _, _, segments = _PAGE.unpack_from(page)
        if version != 0:
            raise damaged("A page of Ogg has a version that Ogg does not have")
        lacing = page[_PAGE.size : _PAGE.size + segments]
        body = page[_PAGE.size + segments :]
        if flags & _FIRST:
            yield from self._begin(serial, body)
        elif self._serial is None:
            raise other_format("The Ogg stream holds no Opus")
        elif serial == self._serial:
            yield from self._timed(self._packets(flags, lacing, body), flags, position)

    def _begin(self, serial: int, body: bytes) -> Iterator[Head]:
        """Begins the stream; of several at once, the first with Opus."""
        beginning = self._serial is None or self._end is not None
        if beginning and body.startswith(b"OpusHead"):
            self._serial, self._in_tags, self._end = serial, True, None
            self._fragment.clear()
            yield opus.parse_head(body)

    def _packets(self, flags: int, lacing: bytes, body: bytes) -> list[bytes]:
        """The packets that end in a page."""
        if not flags & _CONTINUED:
            self._fragment.clear()
        # The beginning of a packet that continues here may be lost.
        lost = bool(flags & _CONTINUED) and not self._fragment and not self._in_tags
        packets, begin, size = [], 0, 0
        for segment in lacing:
            size += segment
            if segment == _FULL_SEGMENT:
                continue
            packet = bytes(self._fragment) + body[begin : begin + size]
            self._fragment.clear()
            if self._in_tags or lost:
                self._in_tags = lost = False
            else:
                packets.append(packet)
            begin, size = begin + size, 0
        if size and not self._in_tags and not lost:
            self._fragment += body[begin:]
            if len(self._fragment) > _MAX_FRAGMENT_BYTES:
                raise damaged("An Opus packet is too large")
        return packets

    def _timed(self, packets: list[bytes], flags: int, position: int) -> Iterator[Packet]:
        """Places the packets of a page, which states where it ends."""
        lengths = [opus.packet_samples(packet) for packet in packets]
        total = sum(lengths)
        start = None if position == _NO_POSITION or not packets else position - total
        kept = total
        if flags & _LAST and start is not None:
            # The last page states where its sound ends, which may be within a packet.
            start = self._end or 0
            kept = min(max(position - start, 0), total)
        if packets:
            self._end = (self._end or 0) + total if start is None else start + total
        for packet, samples in zip(packets, lengths, strict=True):
            keep = min(samples, kept)
            yield Packet(content=packet, samples=samples, start=start, keep=keep)
            kept -= keep
            start = None
