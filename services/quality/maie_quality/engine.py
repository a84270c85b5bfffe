"""The interface of a quality engine, in plain Python types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Protocol

from maie.common.v1 import types_pb2 as common
from maie_runtime.gpu.loadable import Loadable
from maie_speech.frames import SAMPLE_RATE
from maie_speech.speech import Samples

__all__ = ["SAMPLE_RATE", "Engine", "Opinion", "Rating", "Samples", "mean_opinion"]


@dataclass(kw_only=True, frozen=True, slots=True)
class Opinion:
    """What listeners would say of a sound, as mean opinion scores from 1 (bad) to 5 (excellent).

    Attributes:
        overall: The whole sound (ITU-T P.835).
        speech: The speech alone; None where the engine does not tell.
        background: The background alone, where 5 is not noticeable; None likewise.
        crowd: The whole sound, as listeners without training rate it (ITU-T P.808); None likewise.
    """

    overall: float
    speech: float | None = None
    background: float | None = None
    crowd: float | None = None


@dataclass(kw_only=True, frozen=True, slots=True)
class Rating:
    """The opinion of a window of the sound.

    Attributes:
        start: The window's first sample.
        end: Its last sample, exclusive.
        opinion: What listeners would say.
    """

    start: int
    end: int
    opinion: Opinion


def mean_opinion(opinions: Sequence[Opinion]) -> Opinion:
    """The mean of opinions of one engine; at least one."""

    def mean(scores: Sequence[float | None]) -> float | None:
        known = [score for score in scores if score is not None]
        return fmean(known) if known else None

    return Opinion(
        overall=fmean(each.overall for each in opinions),
        speech=mean([each.speech for each in opinions]),
        background=mean([each.background for each in opinions]),
        crowd=mean([each.crowd for each in opinions]),
    )


class Engine(Protocol):
    """Predicts what listeners would say of a sound. Shares nothing between calls.

    An entry point of `maie.quality.engines` names a factory that takes
    QualitySettings and returns an async context manager around the engine.
    If the model is missing or damaged, entering raises StageError
    FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT and a message that
    says how to fix it.

    Attributes:
        description: The engine, in one sentence.
        vram_bytes: The GPU memory of its models; 0 on a CPU.
    """

    description: str
    vram_bytes: int

    @property
    def weights(self) -> Loadable | None:
        """The models, if they can be unloaded to share a GPU; else None."""
        ...

    @property
    def version(self) -> common.EngineVersion:
        """The exact software, weights and own settings."""
        ...

    def rate(self, samples: Samples, step: float, heartbeat: Callable[[], None]) -> list[Rating]:
        """Rates the windows of a sound. Blocks; calls may overlap in several threads.

        Args:
            samples: The sound, of any length.
            step: The seconds from one window to the next, above 0.
            heartbeat: Called every few seconds of work; what it raises ends the call.

        Returns:
            The ratings in order. The engine says how long a window is. A sound that is shorter is
            one window; what is left behind the last whole window is in none. Empty for no samples.
        """
        ...
