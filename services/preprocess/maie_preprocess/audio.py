"""Samples in memory and in WAV files: 16 kHz, mono, 16-bit."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from maie_speech.finder import Span
from maie_speech.frames import SAMPLE_RATE

SAMPLE_BYTES: Final = 2
PIECE_BYTES: Final = 1024 * 1024
_WAV_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")
_PCM: Final = 1


def wav_header(samples: int) -> bytes:
    """The 44-byte WAV header for a number of samples."""
    size = samples * SAMPLE_BYTES
    return _WAV_HEADER.pack(
        b"RIFF", _WAV_HEADER.size - 8 + size, b"WAVE",
        b"fmt ", 16, _PCM, 1, SAMPLE_RATE, SAMPLE_RATE * SAMPLE_BYTES, SAMPLE_BYTES,
        8 * SAMPLE_BYTES, b"data", size,
    )  # fmt: skip


class SampleBuffer:
    """The part of a recording that may still be needed.

    Attributes:
        end: The number of samples in the recording so far.
    """

    def __init__(self) -> None:
        self.end = 0
        self._start = 0
        self._data = bytearray()

    def append(self, samples: bytes) -> None:
        """Adds the next samples."""
        self._data += samples
        self.end += len(samples) // SAMPLE_BYTES

    def drop_before(self, sample: int) -> None:
        """Drops the samples before a position."""
        count = min(sample, self.end) - self._start
        if count > 0:
            del self._data[: count * SAMPLE_BYTES]
            self._start += count

    def wav(self, span: Span) -> Iterator[bytes]:
        """Yields a span as a WAV file, piece by piece, without copying it whole."""
        yield wav_header(span.end - span.start)
        first = (span.start - self._start) * SAMPLE_BYTES
        last = (span.end - self._start) * SAMPLE_BYTES
        for place in range(first, last, PIECE_BYTES):
            yield bytes(self._data[place : min(place + PIECE_BYTES, last)])
