"""The interface of a VAD engine. Engines are entry points of `maie.preprocess.engines`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from maie.common.v1 import types_pb2 as common


class SpeechTrack(Protocol):
    """One recording, fed from beginning to end, with the model's state."""

    async def feed(self, samples: bytes) -> Sequence[float]:
        """Returns the probability of speech, 0 to 1, for each frame of `FRAME_SAMPLES`.

        The result does not depend on how a recording is divided into calls.

        Args:
            samples: The next samples: 16 kHz, mono, 16-bit. A whole number of
                frames, except in the last call for a recording.
        """
        ...


class SpeechEngine(Protocol):
    """A voice activity detection model."""

    @property
    def version(self) -> common.EngineVersion:
        """The exact software, weights and own settings."""
        ...

    def track(self) -> SpeechTrack:
        """Begins a recording. Tracks are independent."""
        ...
