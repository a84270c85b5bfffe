"""The interface of a speech engine, in plain Python types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from maie.common.v1 import types_pb2 as common
from maie_runtime.gpu.loadable import Loadable
from maie_synthesis.text.tokens import Piece

Samples: TypeAlias = np.ndarray[Any, np.dtype[np.int16]]
"""Audio of shape (samples,), mono, 16 bits with a sign."""


@dataclass(kw_only=True, frozen=True, slots=True)
class EngineVoice:
    """A voice of an engine.

    Attributes:
        name: The name by which requests choose it.
        description: What it is, in one sentence.
        language: The language that it speaks, as a BCP-47 tag.
    """

    name: str
    description: str
    language: str


@dataclass(kw_only=True, frozen=True, slots=True)
class SpokenToken:
    """When a token is spoken.

    Attributes:
        token: Its place among the tokens of the piece.
        start: In seconds from the start of the piece's audio.
        end: In seconds from the start of the piece's audio.
    """

    token: int
    start: float
    end: float


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class SpokenPiece:
    """A piece as speech.

    Attributes:
        samples: The audio.
        rate: The samples in a second.
        tokens: When the tokens are spoken, in order; empty where the engine cannot say.
    """

    samples: Samples
    rate: int
    tokens: tuple[SpokenToken, ...] = ()

    @property
    def duration(self) -> float:
        """The length in seconds."""
        return len(self.samples) / self.rate


class UnspeakableError(Exception):
    """The engine could not speak a piece; it stays usable for others.

    Args:
        message: Why, in one sentence without any of the text.
        too_slow: Whether it took too long.
    """

    def __init__(self, message: str, *, too_slow: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.too_slow = too_slow


class Engine(Protocol):
    """Speaks pieces of text.

    An entry point of `maie.synthesis.engines` names a factory that takes SynthesisSettings and
    returns an async context manager around the engine. If the library, the model or a voice is
    missing or damaged, entering raises StageError FAILED_PRECONDITION and a message that says how
    to fix it.

    Attributes:
        description: The engine, in one sentence.
        voices: Its voices, the default one first; at least one.
        vram_bytes: The GPU memory of its model; 0 on a CPU.
    """

    description: str
    voices: tuple[EngineVoice, ...]
    vram_bytes: int

    @property
    def weights(self) -> Loadable | None:
        """The model, if it can be unloaded to share a GPU; else None."""
        ...

    @property
    def version(self) -> common.EngineVersion:
        """The exact software, weights and own settings."""
        ...

    async def speak(self, piece: Piece, voice: str, speed: float) -> SpokenPiece:
        """Speaks a piece. Calls may overlap; cancelling one stops its work.

        Args:
            piece: What to speak; with a token at least.
            voice: The name of one of its voices.
            speed: The pace, 0.25 to 4; 1 is the voice's own.

        Raises:
            UnspeakableError: This piece cannot be spoken.
        """
        ...
