"""The interface of an ASR engine, in plain Python types."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from maie.common.v1 import types_pb2 as common
from maie_runtime.gpu.loadable import Loadable
from maie_speech.frames import SAMPLE_RATE
from maie_speech.speech import Samples, Speech, SpeechRange

__all__ = [
    "SAMPLE_RATE",
    "Capabilities",
    "Decoding",
    "Engine",
    "RecognizeOptions",
    "RecognizedSegment",
    "RecognizedWord",
    "Samples",
    "Speech",
    "SpeechRange",
]


@dataclass(kw_only=True, frozen=True, slots=True)
class Decoding:
    """How an engine decodes and cuts out silence; None is the engine's own setting.

    Attributes:
        beam_size: The number of hypotheses that beam search keeps.
        temperatures: Temperatures to try until a text passes the thresholds; empty
            for the engine's own.
        compression_ratio_threshold: A text with a higher ratio is a loop.
        log_prob_threshold: A text with a lower mean log probability has failed.
        no_speech_threshold: The probability from which a failed text is silence.
        condition_on_previous_text: Whether a window has the text before it as context.
        vad_filter: Whether silence is cut out.
        min_silence_ms: Shorter pauses are kept.
        speech_pad_ms: Audio kept before and after each speech range.
        vad_threshold: The probability above which a frame is speech.
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
    """How to transcribe one chunk.

    Attributes:
        language: The spoken language as its primary subtag, such as "en", and
            one of the engine's; empty where it is not known.
        hotwords: Words that are likely to be spoken. Engines that cannot use
            them ignore them.
        word_times: Whether segments need words with times.
        translate: Whether to translate into English; needs `translates`.
        alone: Whether the audio is a part of a chunk that had no text in the first
            reading. No silence is cut out of it, and it has no text before it
            as context.
        initial_prompt: Text to decode as if it preceded the recording; None for
            the engine's own setting. Needs `decoding_options`.
        decoding: How to decode. Needs `decoding_options`.
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
    """A segment of recognised speech; times in seconds from the chunk's start.

    Attributes:
        text: What was said; empty where nothing was understood: such a segment
            only reports progress.
        language: The language that was spoken, as a BCP-47 tag; empty where it is not known.
        words: The words of the text with their times; empty if they were not
            requested or the engine has none.
        confidence: The mean of the words' confidences.
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
        language_codes: The languages it transcribes, as primary subtags; empty for any.
        punctuates: It writes punctuation and casing.
        word_times: It gives the time of each word.
        hotwords: It uses hotwords.
        detects_language: It detects the language.
        translates: It can translate into English.
        decoding_options: It takes an initial prompt and decoding options.
    """

    language_codes: tuple[str, ...]
    punctuates: bool = False
    word_times: bool = False
    hotwords: bool = False
    detects_language: bool = False
    translates: bool = False
    decoding_options: bool = False


class Engine(Protocol):
    """Turns speech into text. Shares nothing between requests.

    An entry point of `maie.asr.engines` names a factory that takes AsrSettings
    and returns an async context manager around the engine. If the model is
    missing or damaged, entering raises StageError FAILED_PRECONDITION with
    MODEL_MISSING or MODEL_CORRUPT and a message that says how to fix it.

    Attributes:
        description: The engine, in one sentence.
        capabilities: What it can do.
        vram_bytes: The GPU memory of its model; 0 on a CPU.
    """

    description: str
    capabilities: Capabilities
    vram_bytes: int

    @property
    def weights(self) -> Loadable | None:
        """The model, if it can be unloaded to share a GPU; else None."""
        ...

    def version(self, options: RecognizeOptions) -> common.EngineVersion:
        """The exact software, weights and parameters for these options."""
        ...

    def recognize(
        self, speech: Speech, options: RecognizeOptions
    ) -> AsyncGenerator[RecognizedSegment, None]:
        """Transcribes one chunk and yields its segments in order, as they are known.

        Calls may overlap; an engine queues what it cannot do at once. Closing or
        cancelling the iteration returns within two seconds and does not affect
        later calls.

        Args:
            speech: The chunk; it has at least one speech range.
            options: How to transcribe it.

        Raises:
            StageError: The chunk could not be transcribed; the engine still works.
        """
        ...
