"""The interface of a diarization engine, in plain Python types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from maie.common.v1 import types_pb2 as common
from maie_runtime.gpu.loadable import Loadable
from maie_speech.frames import SAMPLE_RATE
from maie_speech.speech import Samples, SpeechRange

__all__ = [
    "SAMPLE_RATE",
    "Calibration",
    "Embedding",
    "Engine",
    "Samples",
    "SpeechRange",
    "Turn",
    "Voice",
    "own_space",
]

Embedding = NDArray[np.float32]
"""A voice as a point of the engine's space, of shape (dimensions,) and unit length."""


@dataclass(kw_only=True, frozen=True, slots=True, order=True)
class Turn:
    """A time in which somebody speaks, in seconds from the chunk's start; half-open."""

    start: float
    end: float


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Voice:
    """What one speaker says within one window.

    A window is the audio that an engine hears at once: the voices of one window
    are different speakers. Which voices of several windows are the same speaker
    is found by their embeddings. Windows may overlap, so that a time may be in
    several voices of one speaker.

    Attributes:
        window: The time of the window.
        turns: When the speaker speaks in the window, in order and without
            overlap; other voices may overlap them.
        embedding: Whose voice it is; None where there is too little clean speech to say.
        clean_duration: The seconds of speech, without other speakers, that the
            embedding is made of.
    """

    window: Turn
    turns: tuple[Turn, ...]
    embedding: Embedding | None
    clean_duration: float


@dataclass(kw_only=True, frozen=True, slots=True)
class Calibration:
    """What clustering must know of the embeddings of an engine.

    Similarity is the scalar product of two embeddings, -1 to 1. Clean speech counts
    as often as windows have it.

    Attributes:
        same_speaker: Groups of voices whose mean similarity is at least this are
            one speaker.
        surely_same_speaker: Voices of one chunk whose mean similarity is at least
            this are joined before the chunks are compared.
        min_duration: The seconds of clean speech from which a voice may found a
            speaker; shorter ones only join one.
        min_speaker_duration: The seconds of clean speech from which a group of
            voices may be a speaker; the voices of a smaller one join others.
        min_speaker_share: The share of the clean speech, 0 to 1, that a speaker has,
            too: in long recordings there is more that is of two speakers at once.
        sure_speaker_duration: The seconds of clean speech from which a group is a
            speaker, however small its share.
        mixed_speakers: A group whose mean embedding is at least this similar to what one or two
            larger groups make together is no speaker of its own; above 1 where nobody
            measured that.
        count_accuracy: How often the number of speakers is right, 0 to 1, by the
            share of other thresholds that give the same number, 0 to 1. Points of a
            line, by rising share.
        same_person: Speakers of two recordings whose similarity is at least this are
            likely one person; 0 where nobody measured that, and then nobody is.
    """

    same_speaker: float
    surely_same_speaker: float
    min_duration: float
    min_speaker_duration: float
    min_speaker_share: float
    sure_speaker_duration: float
    count_accuracy: tuple[tuple[float, float], ...]
    same_person: float = 0.0
    mixed_speakers: float = inf


def own_space(version: common.EngineVersion) -> str:
    """Names the space of embeddings that no other engine makes, nor this one by other weights.

    Args:
        version: The engine.
    """
    return f"{version.engine}:{version.checkpoint_sha256}"


class Engine(Protocol):
    """Finds the voices in a chunk. Shares nothing between calls.

    An entry point of `maie.diarization.engines` names a factory that takes
    DiarizationSettings and returns an async context manager around the engine.
    If the model is missing or damaged, entering raises StageError
    FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT and a message that
    says how to fix it.

    Attributes:
        description: The engine, in one sentence.
        calibration: The thresholds of its embeddings.
        vram_bytes: The GPU memory of its models; 0 on a CPU.
    """

    description: str
    calibration: Calibration
    vram_bytes: int

    @property
    def embedding_space(self) -> str:
        """Names the space of its embeddings: those of engines with one space can be compared."""
        ...

    @property
    def weights(self) -> Loadable | None:
        """The models, if they can be unloaded to share a GPU; else None."""
        ...

    @property
    def version(self) -> common.EngineVersion:
        """The exact software, weights and own settings."""
        ...

    def listen(
        self, samples: Samples, speech: Sequence[SpeechRange], heartbeat: Callable[[], None]
    ) -> list[Voice]:
        """Finds the voices of one chunk. Blocks; calls may overlap in several threads.

        Args:
            samples: The chunk, pauses included.
            speech: Its speech, in order and without overlap.
            heartbeat: Called every few seconds of work; what it raises ends the call.

        Returns:
            The voices, by their windows' starts; empty where nobody speaks.
        """
        ...
