"""Frames of FLAC (RFC 9639), as they come. Runs in the decoding process.

A frame does not state its size. It ends where its checksum is right and the next one
begins. The last frame of a message is tried as soon as its checksum is right, since the
next may be long in coming.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, cast

from maie_audio.formats import MAX_PENDING_BYTES, damaged, other_format
from maie_audio.packets import Head, Packet, State

_MAGIC: Final = b"fLaC"
_BLOCK_HEAD_BYTES: Final = 4
_STREAM_INFO_BYTES: Final = 34
# The largest head of a frame: 4 bytes, a number of 7, a block size and a rate of 2, a checksum.
_MAX_HEAD_BYTES: Final = 16
_MIN_FRAME_BYTES: Final = 8
MIN_RATE, MAX_RATE = 8_000, 192_000
MAX_CHANNELS: Final = 8
_BLOCK_SIZES: Final = {1: 192, **{code: 576 << code - 2 for code in range(2, 6)}} | {
    code: 256 << code - 8 for code in range(8, 16)
}
_RATES: Final = {
    1: 88_200, 2: 176_400, 3: 192_000, 4: 8_000, 5: 16_000, 6: 22_050, 7: 24_000, 8: 32_000,
    9: 44_100, 10: 48_000, 11: 96_000,
}  # fmt: skip


def _table(bits: int, polynomial: int) -> list[int]:
    top, table = 1 << bits - 1, []
    for byte in range(256):
        value = byte << bits - 8
        for _ in range(8):
            value = value << 1 ^ (polynomial if value & top else 0)
        table.append(value & (1 << bits) - 1)
    return table


_CRC8: Final = _table(8, 0x107)
_CRC16: Final = _table(16, 0x18005)


def _crc8(data: bytes | bytearray) -> int:
    value = 0
    for byte in data:
        value = _CRC8[value ^ byte]
    return value


def _crc16(data: bytes | bytearray, value: int) -> int:
    for byte in data:
        value = (value << 8 & 0xFF00) ^ _CRC16[value >> 8 ^ byte]
    return value


class _FrameHead(NamedTuple):
    samples: int
    start: int


class FlacReader:
    """Finds the frames of a FLAC stream.

    Args:
        state: Of the reader that this one continues; None at the beginning.
        pending: Its pending bytes.
    """

    def __init__(self, state: State | None, pending: bytes) -> None:
        state = state or {}
        self.pending = bytearray(pending)
        self._begun = bool(state.get("begun", False))
        self._skip = cast(int, state.get("skip", 0))
        self._in_frames = bool(state.get("in_frames", False))
        self._info = bytes.fromhex(cast(str, state.get("info", "")))
        self._searched = 0
        self._checked = 0
        self._crc = 0

    def state(self) -> State:
        """See `Reader`."""
        return {
            "begun": self._begun,
            "skip": self._skip,
            "in_frames": self._in_frames,
            "info": self._info.hex(),
        }

    def push(self, data: bytes) -> Iterator[Head | Packet]:
        """See `Reader`."""
        self.pending += data
        if not self._in_frames or self._skip:
            yield from self._read_metadata()
        if self._in_frames:
            yield from self._read_frames()

    def _read_metadata(self) -> Iterator[Head]:
        if not self._begun:
            if not _MAGIC.startswith(self.pending[: len(_MAGIC)]):
                raise other_format("The audio is not FLAC")
            if len(self.pending) < len(_MAGIC):
                return
            del self.pending[: len(_MAGIC)]
            self._begun = True
        while not self._in_frames or self._skip:
            skipped = min(self._skip, len(self.pending))
            self._skip -= skipped
            del self.pending[:skipped]
            size = int.from_bytes(self.pending[1:_BLOCK_HEAD_BYTES], "big")
            is_info = not self._info
            whole = _BLOCK_HEAD_BYTES + (_STREAM_INFO_BYTES if is_info else 0)
            if self._in_frames or len(self.pending) < whole:
                return
            last, kind = self.pending[0] & 0x80, self.pending[0] & 0x7F
            if is_info:
                if kind != 0 or size != _STREAM_INFO_BYTES:
                    raise other_format("The FLAC stream does not begin with its parameters")
                self._info = bytes(self.pending[_BLOCK_HEAD_BYTES:whole])
                yield self._head()
            self._skip = _BLOCK_HEAD_BYTES + size
            self._in_frames = bool(last)

    def _head(self) -> Head:
        head = Head(
            codec="flac",
            extradata=self._info,
            sample_rate=self._rate,
            channels=self._channels,
        )
        if not MIN_RATE <= head.sample_rate <= MAX_RATE or head.channels > MAX_CHANNELS:
            raise other_format(
                f"The FLAC stream has {head.channels} channels at {head.sample_rate} Hz, and 1 to "
                f"{MAX_CHANNELS} at {MIN_RATE} to {MAX_RATE} Hz are supported"
            )
        return head

    @property
    def _rate(self) -> int:
        return int.from_bytes(self._info[10:13], "big") >> 4

    @property
    def _channels(self) -> int:
        return (self._info[12] >> 1 & 7) + 1

    def _read_frames(self) -> Iterator[Packet]:
        if self._skip:
            return
        while (end := self._next_frame()) is not None:
            frame = bytes(self.pending[:end])
            yield self._packet(frame)
            self._take(end)
        if len(self.pending) > MAX_PENDING_BYTES:
            raise damaged("A frame of FLAC is damaged or too large")

    def _next_frame(self) -> int | None:
        """Where the pending frame ends; None if it is not known to be whole."""
        if self.pending and not b"\xff\xf8".startswith(self.pending[:1]):
            raise damaged("No frame of FLAC begins where the one before it ends")
        sync = bytes(self.pending[:2])
        self._searched = max(self._searched, _MIN_FRAME_BYTES)
        while len(sync) == 2 and (at := self.pending.find(sync, self._searched)) >= 0:
            head = self._frame_head(self.pending[at : at + _MAX_HEAD_BYTES])
            if head is None and len(self.pending) - at < _MAX_HEAD_BYTES:
                self._searched = at
                return None
            self._searched = at + 1
            if head is not None and self._checksum(at) == 0:
                return at
        self._searched = max(self._searched, len(self.pending) - 1)
        return None

    def _checksum(self, end: int) -> int:
        """The checksum of the pending bytes up to an offset, which may not go back."""
        self._crc = _crc16(self.pending[self._checked : end], self._crc)
        self._checked = end
        return self._crc

    def uncertain(self) -> Packet | None:
        """See `Reader`."""
        if not self._in_frames or len(self.pending) < _MIN_FRAME_BYTES:
            return None
        # Bytes from here on may begin the next frame.
        rest = self.pending[max(self._searched, self._checked) :]
        if _crc16(rest, self._checksum(len(self.pending) - len(rest))) != 0:
            return None
        return self._packet(bytes(self.pending))

    def accept(self) -> None:
        """See `Reader`."""
        self._take(len(self.pending))

    def _take(self, size: int) -> None:
        del self.pending[:size]
        self._searched = self._checked = self._crc = 0

    def _packet(self, frame: bytes) -> Packet:
        head = self._frame_head(frame[:_MAX_HEAD_BYTES])
        if head is None:
            raise damaged("No frame of FLAC begins where the one before it ends")
        return Packet(content=frame, samples=head.samples, start=head.start)

    def _frame_head(self, data: bytes | bytearray) -> _FrameHead | None:
        """Reads the head of a frame of this stream; None if there is none, or not all of it."""
        if len(data) < 6 or data[0] != 0xFF or data[1] & 0xFE != 0xF8:
            return None
        size_code, rate_code, channels_code = data[2] >> 4, data[2] & 15, data[3] >> 4
        number_bytes = 8 - (data[4] ^ 0xFF).bit_length() or 1
        at = 4 + number_bytes
        sizes, rates = {6: 1, 7: 2}.get(size_code, 0), {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
        end = at + sizes + rates
        if number_bytes > 7 or data[3] & 1 or len(data) <= end or _crc8(data[: end + 1]) != 0:
            return None
        samples = _BLOCK_SIZES.get(size_code) or int.from_bytes(data[at : at + sizes], "big") + 1
        given = int.from_bytes(data[at + sizes : end], "big") * {12: 1000, 14: 10}.get(rate_code, 1)
        rate = _RATES.get(rate_code, given) if rate_code else self._rate
        channels = channels_code + 1 if channels_code < 8 else 2
        if rate != self._rate or channels != self._channels or channels_code > 10:
            return None
        number = data[4] & (0x7F if number_bytes == 1 else 0x7F >> number_bytes)
        for byte in data[5:at]:
            number = number << 6 | byte & 0x3F
        in_samples = data[1] & 1
        size = int.from_bytes(self._info[2:4], "big")
        return _FrameHead(samples, number if in_samples else number * size)
