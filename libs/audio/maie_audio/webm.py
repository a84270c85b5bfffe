"""Opus in blocks of WebM, as they come. Runs in the decoding process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

from maie_audio import ebml, opus
from maie_audio.formats import MAX_PENDING_BYTES, damaged, other_format
from maie_audio.packets import Head, Packet, State

_EBML: Final = 0x1A45DFA3
_SEGMENT: Final = 0x18538067
_CLUSTER: Final = 0x1F43B675
_BLOCK_GROUP: Final = 0xA0
_INFO: Final = 0x1549A966
_TRACKS: Final = 0x1654AE6B
_CLUSTER_TIME: Final = 0xE7
_SIMPLE_BLOCK: Final = 0xA3
_BLOCK: Final = 0xA1
_TIME_SCALE: Final = 0x2AD7B1
_TRACK: Final = 0xAE
_TRACK_NUMBER: Final = 0xD7
_CODEC: Final = 0x86
_CODEC_PRIVATE: Final = 0x63A2
# Their children are read as they come; all other elements are read whole or skipped.
_PARENTS: Final = {_SEGMENT, _CLUSTER, _BLOCK_GROUP}
_BLOCKS: Final = {_SIMPLE_BLOCK, _BLOCK}
_WHOLE: Final = {_INFO, _TRACKS, _CLUSTER_TIME, *_BLOCKS}
# A block's time is relative to its cluster: two bytes, then flags.
_BLOCK_HEAD_BYTES: Final = 3
_LACING: Final = 0x06
_NANOSECONDS: Final = 1_000_000_000
_DEFAULT_SCALE: Final = 1_000_000


class WebmReader:
    """Finds the packets of the first Opus track.

    Args:
        state: Of the reader that this one continues; None at the beginning.
        pending: Its pending bytes.
    """

    def __init__(self, state: State | None, pending: bytes) -> None:
        state = state or {}
        self.pending = bytearray(pending)
        self._begun = bool(state.get("begun", False))
        self._skip = cast(int, state.get("skip", 0))
        self._track = cast("int | None", state.get("track"))
        # Nanoseconds of a tick, and the time of the cluster in ticks.
        self._scale = cast(int, state.get("scale", _DEFAULT_SCALE))
        self._cluster = cast(int, state.get("cluster", 0))

    def state(self) -> State:
        """See `Reader`."""
        return {
            "begun": self._begun,
            "skip": self._skip,
            "track": self._track,
            "scale": self._scale,
            "cluster": self._cluster,
        }

    def uncertain(self) -> Packet | None:
        """See `Reader`."""
        return None

    def accept(self) -> None:
        """See `Reader`."""

    def push(self, data: bytes) -> Iterator[Head | Packet]:
        """See `Reader`."""
        self.pending += data
        at = 0
        while True:
            skipped = min(self._skip, len(self.pending) - at)
            self._skip -= skipped
            at += skipped
            self._check_begin(at)
            element = ebml.read_head(self.pending, at)
            if element is None:
                break
            self._begun = True
            if element.ident in _PARENTS:
                at = element.content
                continue
            if element.size is None:
                raise damaged("The WebM stream has an element of unknown size")
            end = element.content + element.size
            if not self._is_read(element, end):
                self._skip, at = end - at, at
                continue
            if end > len(self.pending):
                break
            at = end
            yield from self._read(element.ident, bytes(self.pending[element.content : end]))
        del self.pending[:at]

    def _check_begin(self, at: int) -> None:
        magic = _EBML.to_bytes(4, "big")
        if not self._begun and not magic.startswith(self.pending[at : at + len(magic)]):
            raise other_format("The audio is not WebM")

    def _is_read(self, element: ebml.Element, end: int) -> bool:
        """Whether an element is read, rather than skipped."""
        if element.ident not in _WHOLE:
            return False
        if element.ident in _BLOCKS:
            # A block of video may be of any size.
            track = ebml.read_number(self.pending, element.content)
            if track is not None and track.value != self._track:
                return False
        if end - element.content > MAX_PENDING_BYTES:
            raise damaged("The WebM stream has an element that is too large")
        return True

    def _read(self, ident: int, content: bytes) -> Iterator[Head | Packet]:
        if ident == _INFO:
            scale = dict(ebml.children(content)).get(_TIME_SCALE)
            self._scale = _unsigned(scale) if scale else _DEFAULT_SCALE
        elif ident == _TRACKS:
            yield self._choose(content)
        elif ident == _CLUSTER_TIME:
            self._cluster = _unsigned(content)
        elif self._track is None:
            raise other_format("The WebM stream states no tracks")
        else:
            yield self._packet(content)

    def _choose(self, content: bytes) -> Head:
        """Chooses the first track with Opus."""
        for ident, entry in ebml.children(content):
            fields = dict(ebml.children(entry)) if ident == _TRACK else {}
            if fields.get(_CODEC, b"").rstrip(b"\0") == b"A_OPUS":
                self._track = _unsigned(fields.get(_TRACK_NUMBER, b""))
                return opus.parse_head(fields.get(_CODEC_PRIVATE, b""))
        raise other_format("The WebM stream holds no Opus")

    def _packet(self, block: bytes) -> Packet:
        track = ebml.read_number(block, 0)
        if track is None or len(block) < track.end + _BLOCK_HEAD_BYTES:
            raise damaged("A block of WebM has no head")
        head = block[track.end : track.end + _BLOCK_HEAD_BYTES]
        if head[2] & _LACING:
            raise damaged("A block of WebM holds several packets, which is not supported")
        ticks = self._cluster + int.from_bytes(head[:2], "big", signed=True)
        packet = block[track.end + _BLOCK_HEAD_BYTES :]
        return Packet(
            content=packet,
            samples=opus.packet_samples(packet),
            start=ticks * self._scale * opus.SAMPLE_RATE // _NANOSECONDS,
        )


def _unsigned(content: bytes) -> int:
    """An unsigned integer, which has 8 bytes at most (RFC 8794)."""
    if len(content) > 8:
        raise damaged("A number of WebM is too long")
    return int.from_bytes(content, "big")
