"""Live speech by an engine for recordings: each reading takes the utterance as a chunk."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace

from maie_asr.engine import (
    Engine,
    RecognizedSegment,
    RecognizeOptions,
    Samples,
    Speech,
    SpeechRange,
)
from maie_asr.live.engine import Effort, LiveReading, LiveUtterance


class WholeUtterances:
    """Reads utterances by `Engine.recognize`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open(self, options: RecognizeOptions) -> LiveUtterance:
        """Begins an utterance."""
        return _Utterance(self._engine, options)


class _Utterance:
    def __init__(self, engine: Engine, options: RecognizeOptions) -> None:
        self._engine = engine
        # No silence is cut out of it, and no text comes before it.
        self._options = replace(options, alone=True)

    async def read(self, samples: Samples, effort: Effort) -> LiveReading:
        """Reads the utterance so far."""
        whole = (SpeechRange(start=0, end=len(samples)),)
        times = self._options.word_times and effort is not Effort.PARTIAL
        options = replace(self._options, word_times=times)
        speech = Speech(samples=samples, ranges=whole)
        async with aclosing(self._engine.recognize(speech, options)) as recognized:
            return _joined([segment async for segment in recognized if segment.text])

    def drop(self) -> None:
        """Lets it be read to its end: engines finish a window that they have begun."""


def _joined(segments: list[RecognizedSegment]) -> LiveReading:
    known = [each.confidence for each in segments if each.confidence is not None]
    return LiveReading(
        text=" ".join(each.text for each in segments),
        language=next((each.language for each in segments), ""),
        words=tuple(word for each in segments for word in each.words),
        confidence=sum(known) / len(known) if known else None,
    )
