"""Writes FLAC, piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, TypeAlias

import av
import numpy as np
from av.audio.frame import AudioFrame

from maie_core.samples import RATE

Samples: TypeAlias = np.ndarray[Any, np.dtype[np.int16]]

_MAGIC = b"fLaC"
_STREAM_INFO_BYTES = 34
# The head of the only block of metadata: the last one, of type STREAMINFO.
_BLOCK_HEAD = bytes([0x80]) + _STREAM_INFO_BYTES.to_bytes(3, "big")
# In STREAMINFO (RFC 9639, 8.2): the last 36 bits of these bytes are the number of samples, and
# the checksum of all samples follows, which may be left out.
_COUNT = slice(13, 18)
_COUNT_BITS = 36
_MD5 = slice(18, _STREAM_INFO_BYTES)


class FlacEncoder:
    """Writes a FLAC stream of 16 kHz, mono, whose length is known before.

    The stream's head has the length, so that players show it and can seek, and no checksum of the
    whole, which would have to come first.

    Args:
        length: The number of all samples; below 2^36.
    """

    def __init__(self, length: int) -> None:
        codec = av.CodecContext.create("flac", "w")
        codec.sample_rate = RATE
        codec.layout = "mono"
        codec.format = "s16"
        codec.time_base = Fraction(1, RATE)
        codec.thread_count = 1
        codec.open()
        self._codec = codec
        self._length = length
        self._rest: Samples = np.zeros(0, np.int16)

    def head(self) -> bytes:
        """What comes before all audio."""
        info = bytearray(self._codec.extradata or b"")
        counted = int.from_bytes(info[_COUNT], "big") >> _COUNT_BITS << _COUNT_BITS
        info[_COUNT] = (counted | self._length).to_bytes(len(info[_COUNT]), "big")
        info[_MD5] = bytes(len(info[_MD5]))
        return _MAGIC + _BLOCK_HEAD + bytes(info)

    def encode(self, samples: Samples) -> bytes:
        """Encodes the next samples; gives the frames that are whole."""
        size = self._codec.frame_size
        self._rest = np.concatenate([self._rest, samples])
        whole = len(self._rest) // size * size
        frames, self._rest = self._rest[:whole], self._rest[whole:]
        return self._packets(frames[place : place + size] for place in range(0, whole, size))

    def finish(self) -> bytes:
        """Encodes what is left."""
        rest = self._packets([self._rest] if len(self._rest) else [])
        return rest + b"".join(bytes(packet) for packet in self._codec.encode(None))

    def _packets(self, frames: Iterable[Samples]) -> bytes:
        return b"".join(bytes(packet) for frame in frames for packet in self._encoded(frame))

    def _encoded(self, samples: Samples) -> Iterator[av.Packet]:
        frame = AudioFrame.from_ndarray(
            np.ascontiguousarray(samples)[None, :], format="s16", layout="mono"
        )
        frame.sample_rate = RATE
        yield from self._codec.encode(frame)
