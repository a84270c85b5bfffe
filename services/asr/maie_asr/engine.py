"""What an ASR engine is, in plain Python types."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from maie.common.v1 import types_pb2 as common

SAMPLE_RATE = 16_000

Samples = NDArray[np.int16]
"""Mono audio at 16 kHz, of shape (samples,)."""


@dataclass(kw_only=True, frozen=True, slots=True)
class SpeechRange:
    """A stretch of speech, by samples: `end` is the first one after it."""

    start: int
    end: int


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Speech:
    """The audio of one chunk and where somebody speaks in it.

    Attributes:
        samples: The audio, pauses included.
        ranges: The speech, in order and without overlap.
    """

    samples: Samples
    ranges: tuple[SpeechRange, ...]

    @property
    def seconds(self) -> float:
        """The length of the audio."""
        return len(self.samples) / SAMPLE_RATE


@dataclass(kw_only=True, frozen=True, slots=True)
class RecognizeOptions:
    """How to read one chunk.

    Attributes:
        language: The spoken language as its primary subtag, such as "en", and
            one of the engine's; empty where it is not known.
        hotwords: Words that are likely to be spoken. Engines that cannot use
            them ignore them.
        word_times: Whether the words of each segment are asked for.
    """

    language: str = ""
    hotwords: tuple[str, ...] = ()
    word_times: bool = True


@dataclass(kw_only=True, frozen=True, slots=True)
class RecognizedWord:
    """A word; times in seconds from the chunk's start.

    Attributes:
        confidence: The probability that the word is right, 0 to 1; None where
            the engine has no meaningful figure.
    """

    text: str
    start: float
    end: float
    confidence: float | None = None


@dataclass(kw_only=True, frozen=True, slots=True)
class RecognizedSegment:
    """A stretch of speech that was read; times in seconds from the chunk's start.

    Attributes:
        text: What was said; empty where nothing was understood, which only
            tells how far the engine is.
        language: The language that it was read in, as a BCP-47 tag.
        words: The words of the text with their times; empty where they were
            not asked for or the engine has none.
        confidence: As for words, the mean over the segment.
    """

    text: str
    start: float
    end: float
    language: str
    words: tuple[RecognizedWord, ...] = ()
    confidence: float | None = None


@dataclass(kw_only=True, frozen=True, slots=True)
class Capabilities:
    """What an engine can do.

    Attributes:
        language_codes: The languages it reads, as primary subtags; empty for any.
        punctuates: It writes punctuation and casing.
        word_times: It knows when each word was spoken.
        hotwords: It uses hotwords.
        detects_language: It finds out the language by itself.
    """

    language_codes: tuple[str, ...]
    punctuates: bool = False
    word_times: bool = False
    hotwords: bool = False
    detects_language: bool = False


class Engine(Protocol):
    """Turns speech into text. Shares nothing between requests.

    An entry point of `maie.asr.engines` names a factory that takes AsrSettings
    and returns an async context manager around the engine. Where the model is
    missing or damaged, entering raises StageError FAILED_PRECONDITION with
    MODEL_MISSING or MODEL_CORRUPT and says how to mend it.

    Attributes:
        description: What the engine is, in one sentence.
        capabilities: What it can do.
        vram_bytes: The memory that its model takes on a GPU; 0 on a CPU.
    """

    description: str
    capabilities: Capabilities
    vram_bytes: int

    def version(self, options: RecognizeOptions) -> common.EngineVersion:
        """The exact software, weights and settings that read with these options."""
        ...

    def recognize(
        self, speech: Speech, options: RecognizeOptions
    ) -> AsyncGenerator[RecognizedSegment, None]:
        """Reads one chunk and gives its segments in order, as they are known.

        May be called again while other calls run; an engine queues what it
        cannot do at once. Closing or cancelling the iteration returns within
        two seconds and leaves nothing behind that a later call could notice.

        Args:
            speech: The chunk; it has at least one speech range.
            options: How to read it.

        Raises:
            StageError: The chunk could not be read; the engine still works.
        """
        ...
