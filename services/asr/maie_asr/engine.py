"""What an ASR engine is, in plain Python types."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from maie.common.v1 import types_pb2 as common
from maie_runtime.loadable import Loadable

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
class Decoding:
    """How an engine searches and cuts out silence; None is the engine's own setting.

    Attributes:
        beam_size: How many readings the search keeps.
        temperatures: To try in turn until a reading passes the thresholds; none
            for the engine's own.
        compression_ratio_threshold: A text that compresses better is a loop.
        log_prob_threshold: A text with a lower mean log probability has failed.
        no_speech_threshold: The probability from which a failed text is silence.
        condition_on_previous_text: Whether a window knows the text before it.
        vad_filter: Whether silence is cut out.
        min_silence_ms: A shorter pause is not cut out.
        speech_pad_ms: Kept before and after each stretch of speech.
        vad_threshold: Speech is where its probability is above this.
    """

    beam_size: int | None = None
    temperatures: tuple[float, ...] = ()
    compression_ratio_threshold: float | None = None
    log_prob_threshold: float | None = None
    no_speech_threshold: float | None = None
    condition_on_previous_text: bool | None = None
    vad_filter: bool | None = None
    min_silence_ms: int | None = None
    speech_pad_ms: int | None = None
    vad_threshold: float | None = None


@dataclass(kw_only=True, frozen=True, slots=True)
class RecognizeOptions:
    """How to read one chunk.

    Attributes:
        language: The spoken language as its primary subtag, such as "en", and
            one of the engine's; empty where it is not known.
        hotwords: Words that are likely to be spoken. Engines that cannot use
            them ignore them.
        word_times: Whether the words of each segment are asked for.
        translate: Whether to write the English translation; only for engines
            that can.
        alone: Whether the audio is one stretch of speech that is read by itself:
            nothing is cut out of it as silence, and the text before it is not
            known. For speech that had no text in its surroundings.
        initial_prompt: Text that the recording is taken to follow on; None for
            the engine's own setting. Only for engines that can be steered.
        decoding: How to search. Only for engines that can be steered.
    """

    language: str = ""
    hotwords: tuple[str, ...] = ()
    word_times: bool = True
    translate: bool = False
    alone: bool = False
    initial_prompt: str | None = None
    decoding: Decoding = Decoding()


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
        language: The language that was spoken, as a BCP-47 tag.
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
        translates: It writes an English translation where asked.
        steerable: It heeds an initial prompt and decoding options.
    """

    language_codes: tuple[str, ...]
    punctuates: bool = False
    word_times: bool = False
    hotwords: bool = False
    detects_language: bool = False
    translates: bool = False
    steerable: bool = False


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

    @property
    def weights(self) -> Loadable | None:
        """The model, where it can be unloaded to share a GPU; None where not, or without one."""
        ...

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
