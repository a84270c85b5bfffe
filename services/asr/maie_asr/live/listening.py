"""How likely somebody speaks, frame by frame, in a live track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from maie_asr.engine import Samples
from maie_speech.band import OnlineBand
from maie_speech.silero import SHIPPED_MODEL, SileroTrack, open_model


@dataclass(frozen=True, slots=True)
class Heard:
    """What was found in some frames.

    Attributes:
        probabilities: How likely somebody speaks in each frame.
        narrow_band: Whether each frame is in the band of a telephone.
    """

    probabilities: Sequence[float]
    narrow_band: Sequence[bool]


class Listener(Protocol):
    """Listens to one track."""

    def feed(self, samples: Samples) -> Heard:
        """Takes the next samples, a whole number of frames. Blocks for about 0.2 ms a frame."""
        ...


class Detector(Protocol):
    """Finds speech in live tracks."""

    def open(self) -> Listener:
        """Begins a track."""
        ...


class SileroDetector:
    """Silero VAD, one model for all tracks. Blocks while it loads."""

    def __init__(self) -> None:
        self._model = open_model(SHIPPED_MODEL.read_bytes())

    def open(self) -> Listener:
        """Begins a track."""
        return _SileroListener(self._model)


class _SileroListener:
    def __init__(self, model: Any) -> None:
        self._track = SileroTrack(model)
        self._band = OnlineBand()

    def feed(self, samples: Samples) -> Heard:
        return Heard(self._track.feed(samples.tobytes()), self._band.feed(samples))
