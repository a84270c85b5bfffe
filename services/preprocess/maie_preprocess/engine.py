"""What finds speech: plain numbers in and out. Engines are in `maie.preprocess.engines`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from maie.common.v1 import types_pb2 as common


class SpeechTrack(Protocol):
    """One recording, fed from beginning to end. Holds what the model remembers."""

    async def feed(self, samples: bytes) -> Sequence[float]:
        """Gives the probability of speech, 0 to 1, for each frame of `FRAME_SAMPLES`.

        Where a recording is divided between calls makes no difference.

        Args:
            samples: The next samples: 16 kHz, mono, 16-bit. A whole number of
                frames, but for the last call of a recording.
        """
        ...


class SpeechEngine(Protocol):
    """A model that tells speech from everything else."""

    @property
    def version(self) -> common.EngineVersion:
        """The exact software, weights and own settings."""
        ...

    def track(self) -> SpeechTrack:
        """Begins a recording. Tracks know nothing of each other."""
        ...
