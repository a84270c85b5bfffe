"""The library's recognizers: how they are made, and how they read a window of audio. Blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from maie_asr.engine import SAMPLE_RATE, Samples
from maie_asr.engines.sherpa.model import Model
from maie_asr.engines.sherpa.words import Tokens
from maie_asr.settings import SherpaSettings

FULL_SCALE = 32768
# Models fail on audio that is shorter than their filters.
MIN_SAMPLES = SAMPLE_RATE // 2
# Streaming models give the last words when audio follows; the longest step of those that are
# published is 1.12 s.
TAIL_SAMPLES = SAMPLE_RATE * 3 // 2


@dataclass(kw_only=True, frozen=True, slots=True)
class Call:
    """How the library makes a recognizer.

    Attributes:
        streaming: Whether by its OnlineRecognizer; else by its OfflineRecognizer.
        constructor: The constructor.
        arguments: Its arguments, which JSON can hold.
    """

    streaming: bool
    constructor: str
    arguments: Mapping[str, Any]

    def make(self) -> Any:
        """Makes the recognizer. A model that the library does not understand ends the process."""
        import sherpa_onnx

        kind = sherpa_onnx.OnlineRecognizer if self.streaming else sherpa_onnx.OfflineRecognizer
        return getattr(kind, self.constructor)(**self.arguments)


@dataclass(kw_only=True, frozen=True, slots=True)
class Reading:
    """What was read in a window.

    Attributes:
        text: The text.
        tokens: Its tokens.
        language: The language that the model found, as the library writes it; empty for none.
    """

    text: str
    tokens: Tokens
    language: str = ""


def recognizer_call(model: Model, settings: SherpaSettings, threads: int) -> Call:
    """How to make the recognizer of a model.

    Args:
        model: The model.
        settings: The engine's settings.
        threads: The threads of one recognition.
    """
    family = model.family
    arguments: dict[str, Any] = {each: str(path) for each, path in model.files.items()}
    arguments |= {**family.fixed, "num_threads": threads}
    if family.beams:
        arguments |= _search(model, settings)
    if family.constructor == "from_sense_voice":
        codes = settings.language_codes
        arguments["language"] = codes[0] if len(codes) == 1 else "auto"
        arguments["use_itn"] = settings.inverse_text_normalization
    return Call(streaming=family.streaming, constructor=family.constructor, arguments=arguments)


def feed(stream: Any, samples: Samples) -> None:
    """Gives audio to a stream."""
    stream.accept_waveform(SAMPLE_RATE, samples.astype(np.float32) / FULL_SCALE)


def read_window(recognizer: Any, stream: Any, samples: Samples) -> Reading:
    """Reads a window by a model that reads audio as a whole."""
    feed(stream, np.pad(samples, (0, max(0, MIN_SAMPLES - len(samples)))))
    recognizer.decode_stream(stream)
    result = stream.result
    return Reading(
        text=result.text.strip(),
        tokens=Tokens(
            texts=result.tokens,
            starts=result.timestamps,
            durations=result.durations,
            log_probabilities=result.ys_log_probs,
        ),
        language=result.lang,
    )


def read_stream(recognizer: Any, stream: Any) -> Reading:
    """Reads what a streaming model has enough audio for, after all that it has read before."""
    while recognizer.is_ready(stream):
        recognizer.decode_stream(stream)
    result = recognizer.get_result_all(stream)
    return Reading(
        text=result.text.strip(),
        tokens=Tokens(
            texts=result.tokens, starts=result.timestamps, log_probabilities=result.ys_probs
        ),
    )


def end_stream(stream: Any) -> None:
    """Gives a streaming model the silence that it needs to read the last words."""
    feed(stream, np.zeros(TAIL_SAMPLES, np.int16))
    stream.input_finished()


def _search(model: Model, settings: SherpaSettings) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "decoding_method": settings.decoding_method,
        "blank_penalty": settings.blank_penalty,
    }
    if settings.decoding_method != "modified_beam_search":
        return arguments
    arguments |= {
        "max_active_paths": settings.max_active_paths,
        "hotwords_score": settings.hotwords_score,
    }
    if model.bpe_vocabulary:
        arguments["bpe_vocab"] = str(model.bpe_vocabulary)
    if unit := modeling_unit(model, settings):
        arguments["modeling_unit"] = unit
    return arguments


def modeling_unit(model: Model, settings: SherpaSettings) -> str:
    """What hotwords are divided into; empty where nothing says it, and there can be none."""
    return settings.modeling_unit or ("bpe" if model.bpe_vocabulary else "")
