"""Reads audio with one model."""

from __future__ import annotations

from typing import Any

from maie_asr.engine import RecognizeOptions, Samples
from maie_asr.engines.sherpa.hotwords import clean, joined
from maie_asr.engines.sherpa.languages import ask, found_language
from maie_asr.engines.sherpa.model import Model
from maie_asr.engines.sherpa.recognizer import (
    Reading,
    end_stream,
    feed,
    read_stream,
    read_window,
)
from maie_asr.engines.sherpa.vocabulary import Vocabulary
from maie_asr.engines.sherpa.words import PlacedWord, place_words

# Tokens by which a model says that somebody has finished (EOU), or only listens (EOB).
TURN_TOKENS = {"<EOU>", "<EOB>"}


class Reader:
    """A model and what is known of it. All blocks.

    Several threads may use it, but not one stream, nor a model of an exclusive family.

    Args:
        model: The model.
        recognizer: The library's recognizer of it.
        vocabulary: Its vocabulary; None where it is not one of pieces.
        takes_hotwords: Whether its streams may have hotwords.
        language_codes: Its languages.
    """

    def __init__(
        self,
        model: Model,
        recognizer: Any,
        vocabulary: Vocabulary | None,
        takes_hotwords: bool,
        language_codes: tuple[str, ...],
    ) -> None:
        self._model = model
        self._recognizer = recognizer
        self._vocabulary = vocabulary
        self._takes_hotwords = takes_hotwords
        self._language_codes = language_codes
        self.word_times = model.family.word_times and not (vocabulary and vocabulary.of_bytes)

    def open(self, options: RecognizeOptions) -> Any:
        """Begins to read a part of audio.

        Raises:
            StageError: INVALID_ARGUMENT with LANGUAGE_NOT_SUPPORTED if the model needs a language.
        """
        stream = self._stream(options)
        ask(self._model, self._recognizer, stream, options)
        return stream

    def read(self, samples: Samples, options: RecognizeOptions) -> Reading:
        """Reads a part of audio as a whole.

        Raises:
            StageError: As `open` raises it.
        """
        stream = self.open(options)
        if not self._model.family.streaming:
            return without_turns(read_window(self._recognizer, stream, samples))
        feed(stream, samples)
        end_stream(stream)
        return self.continue_reading(stream)

    def continue_reading(self, stream: Any) -> Reading:
        """Reads what a stream has got since, after all before; for streaming models."""
        return without_turns(read_stream(self._recognizer, stream))

    def words(self, reading: Reading, seconds: float) -> list[PlacedWord]:
        """The words of a reading; none where the model gives no times."""
        return place_words(reading.text, reading.tokens, seconds) if self.word_times else []

    def language(self, reading: Reading, options: RecognizeOptions) -> str:
        """The language that was spoken; empty where it is not known."""
        found = found_language(reading.language)
        only = self._language_codes[0] if len(self._language_codes) == 1 else ""
        return found or options.language or only

    def _stream(self, options: RecognizeOptions) -> Any:
        hotwords = clean(options.hotwords) if self._takes_hotwords else []
        if not hotwords:
            return self._recognizer.create_stream()
        if self._vocabulary is not None:
            return self._recognizer.create_stream(joined(hotwords, self._vocabulary))
        stream = self._recognizer.create_stream()
        stream.set_option("hotwords", ",".join(hotwords))
        return stream


def without_turns(reading: Reading) -> Reading:
    """Takes the tokens out by which a model says whose turn it is."""
    tokens = reading.tokens
    spoken = [index for index, each in enumerate(tokens.texts) if each.strip() not in TURN_TOKENS]
    if len(spoken) == len(tokens.texts):
        return reading
    text = reading.text
    for each in TURN_TOKENS:
        text = text.replace(each, "")
    return Reading(text=text.strip(), tokens=tokens.only(spoken), language=reading.language)
