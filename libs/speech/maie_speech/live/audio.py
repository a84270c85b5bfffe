"""The audio of a track that may still be read."""

from __future__ import annotations

import numpy as np

from maie_core.samples import SAMPLE_BYTES
from maie_speech.speech import Samples


class TrackAudio:
    """Keeps what somebody may still ask for, by its place in the track.

    Args:
        start: The track's first sample.

    Attributes:
        end: The sample after the last one that came.
    """

    def __init__(self, start: int) -> None:
        self._start = start
        self._bytes = bytearray()
        self.end = start

    @property
    def sound_end(self) -> int:
        """The sample after the last one that is kept; silence alone follows it."""
        return self._start + len(self._bytes) // SAMPLE_BYTES

    def append(self, content: bytes) -> None:
        """Takes the next samples: 16-bit little-endian PCM."""
        gap = (self.end - self._start) * SAMPLE_BYTES - len(self._bytes)
        self._bytes += bytes(gap)
        self._bytes += content
        self.end += len(content) // SAMPLE_BYTES

    def skip(self, samples: int) -> None:
        """Takes silence, which needs no memory while nothing follows it."""
        self.end += samples

    def forget(self, before: int) -> None:
        """Drops what comes before a sample."""
        if before > self._start:
            del self._bytes[: (before - self._start) * SAMPLE_BYTES]
            self._start = before

    def samples(self, start: int, end: int) -> Samples:
        """A copy of a part that was not dropped; silence where it was skipped."""
        first, last = ((at - self._start) * SAMPLE_BYTES for at in (start, end))
        found = np.zeros(end - start, np.int16)
        kept = np.frombuffer(bytes(self._bytes[first:last]), "<i2")
        found[: len(kept)] = kept
        return found
