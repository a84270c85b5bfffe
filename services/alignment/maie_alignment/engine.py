"""The interface of an alignment engine, in plain Python types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from maie.common.v1 import types_pb2 as common
from maie_runtime.gpu.loadable import Loadable
from maie_speech.frames import SAMPLE_RATE
from maie_speech.speech import Samples

__all__ = [
    "SAMPLE_RATE",
    "AlignedWord",
    "Engine",
    "Filler",
    "FillerEngine",
    "Letter",
    "Phone",
    "Samples",
]


@dataclass(kw_only=True, frozen=True, slots=True)
class Phone:
    """A speech sound.

    Attributes:
        symbol: Its name in the engine's set, such as "AH" of ARPAbet.
        start: Where it begins, in seconds from the start of the audio.
        end: Where it ends.
        score: How well the audio fits it, 0 to 1; see `AlignedWord.score`.
    """

    symbol: str
    start: float
    end: float
    score: float


@dataclass(kw_only=True, frozen=True, slots=True)
class Letter:
    """A letter of a word; a silent one shares the time of the letter beside it."""

    text: str
    start: float
    end: float


@dataclass(kw_only=True, frozen=True, slots=True)
class AlignedWord:
    """A word with its times, in seconds from the start of the audio.

    Attributes:
        text: The word, as it was given.
        start: Where it begins.
        end: Where it ends.
        score: How well the audio fits the word, 0 to 1: from 0.5 on it was more
            likely spoken than another one.
        in_dictionary: Whether its pronunciation is known and not guessed.
        phones: Its sounds, in order and without gap; empty where the engine has none.
        letters: Its letters, likewise; those without sound, such as hyphens, are left out.
    """

    text: str
    start: float
    end: float
    score: float
    in_dictionary: bool
    phones: tuple[Phone, ...]
    letters: tuple[Letter, ...]


@dataclass(kw_only=True, frozen=True, slots=True)
class Filler:
    """A sound that may be spoken between the words of a text, such as "um".

    Attributes:
        place: The number of the word before which it is spoken.
        text: The filler, in lower case.
    """

    place: int
    text: str


class Engine(Protocol):
    """Finds the words of a text in audio. Shares nothing between calls.

    An entry point of `maie.alignment.engines` names a factory that takes
    AlignmentSettings and returns an async context manager around the engine. If the
    model is missing or damaged, entering raises StageError FAILED_PRECONDITION with
    MODEL_MISSING or MODEL_CORRUPT and a message that says how to fix it.

    Attributes:
        description: The engine, in one sentence.
        language_codes: The languages it aligns, as primary subtags.
        vram_bytes: The GPU memory of its model; 0 on a CPU.
    """

    description: str
    language_codes: tuple[str, ...]
    vram_bytes: int

    @property
    def max_seconds(self) -> float:
        """The longest audio of one call, in seconds."""
        ...

    @property
    def weights(self) -> Loadable | None:
        """The model, if it can be unloaded to share a GPU; else None."""
        ...

    @property
    def version(self) -> common.EngineVersion:
        """The exact software, weights and own settings."""
        ...

    async def align(self, samples: Samples, words: Sequence[str]) -> list[AlignedWord]:
        """Finds all words, in order, in the audio; pauses may be between them.

        Calls may overlap; an engine queues what it cannot do at once. Cancelling a call
        returns within two seconds and does not affect later ones.

        Args:
            samples: The audio, at most `max_seconds` of it. It must not change later: an engine
                may keep what it found as long as the array lives.
            words: What was spoken, in lower case and without punctuation.

        Returns:
            The words, in order; empty where the audio is too short for them, or where there
            are none. A word that nobody can speak, such as "中", is left out.

        Raises:
            StageError: The audio could not be aligned; the engine still works.
        """
        ...


@runtime_checkable
class FillerEngine(Protocol):
    """An engine that notices fillers, which speech recognition leaves out."""

    async def fillers(self, samples: Samples, words: Sequence[str]) -> list[Filler]:
        """Looks for fillers between the words, in order of time.

        What it says is a guess: align the words with it, and look at the scores.

        Args:
            samples: As of `Engine.align`.
            words: What was spoken in any case.

        Raises:
            StageError: The audio could not be searched; the engine still works.
        """
        ...
