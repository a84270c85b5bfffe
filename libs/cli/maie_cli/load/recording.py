"""A recording that live streams speak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maie_cli.live.files import file_source
from maie_cli.live.sources import RATE_HERTZ, SAMPLE_BYTES
from maie_cli.load.loudness import last_loud_end, loud_ends

# The end of a word can be too soft for a detector of speech. Utterances are further apart.
SOFT_SECONDS = 0.2


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Recording:
    """The sound of a file: 16-bit, mono, 16 kHz.

    Attributes:
        pieces: The sound in messages of `PIECE_SECONDS`; the last may be shorter.
        loud: The samples at which loud frames end.
    """

    pieces: Sequence[bytes]
    loud: NDArray[np.int64]

    @property
    def seconds(self) -> float:
        """The length."""
        return sum(map(len, self.pieces)) / SAMPLE_BYTES / RATE_HERTZ

    def spoken(self, seconds: float) -> float:
        """When the last sound of an utterance ends, in seconds.

        Args:
            seconds: The end of the utterance, which is what it gives where there is no sound.
        """
        end = last_loud_end(self.loud, round((seconds + SOFT_SECONDS) * RATE_HERTZ))
        return seconds if end is None else end / RATE_HERTZ


async def read_recording(path: Path) -> Recording:
    """Reads a file of any format that recordings may have.

    Raises:
        OSError: It cannot be read, or has no sound.
    """
    source = file_source(path)
    await source.open()
    try:
        pieces = []
        while piece := await source.read():
            pieces.append(piece)
    finally:
        await source.close()
    samples = np.frombuffer(b"".join(pieces), "<i2").astype(np.int16)
    return Recording(pieces=pieces, loud=loud_ends(samples, RATE_HERTZ))
