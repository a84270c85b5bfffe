"""Live speech by a streaming model."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Executor
from typing import Any

from maie_asr.engine import SAMPLE_RATE, RecognizedWord, RecognizeOptions, Samples
from maie_asr.engines.sherpa.reader import Reader
from maie_asr.engines.sherpa.recognizer import Reading, end_stream, feed
from maie_asr.live.engine import Effort, LiveReading


class SherpaLive:
    """Reads utterances of many tracks, each in a stream of its own.

    Args:
        reader: The model.
        executor: The threads in which it is used.
    """

    def __init__(self, reader: Reader, executor: Executor) -> None:
        self._reader = reader
        self._executor = executor

    def open(self, options: RecognizeOptions) -> SherpaUtterance:
        """Begins an utterance."""
        return SherpaUtterance(self._reader, self._executor, options)


class SherpaUtterance:
    """One utterance, in a stream that keeps what was read before.

    Args:
        reader: The model.
        executor: The threads in which it is used.
        options: How to read.
    """

    def __init__(self, reader: Reader, executor: Executor, options: RecognizeOptions) -> None:
        self._reader = reader
        self._executor = executor
        self._options = options
        # A reading that is no longer wanted may still run when the next one begins.
        self._lock = threading.Lock()
        self._stream: Any = None
        self._fed = 0

    async def read(self, samples: Samples, effort: Effort) -> LiveReading:
        """Reads what is new, or all again where a stream has ended or was given more than this."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._read, samples, effort)

    def drop(self) -> None:
        """Lets it be read to its end: the next reading goes on from there."""

    def _read(self, samples: Samples, effort: Effort) -> LiveReading:
        with self._lock:
            if self._stream is None or len(samples) < self._fed:
                self._stream, self._fed = self._reader.open(self._options), 0
            stream = self._stream
            feed(stream, samples[self._fed :])
            self._fed = len(samples)
            if effort is not Effort.PARTIAL:
                end_stream(stream)
                # After its end a stream takes nothing more.
                self._stream = None
            reading = self._reader.continue_reading(stream)
        return self._reading(reading, len(samples) / SAMPLE_RATE, effort)

    def _reading(self, reading: Reading, seconds: float, effort: Effort) -> LiveReading:
        words = self._reader.words(reading, seconds)
        known = [each.confidence for each in words if each.confidence is not None]
        times = self._options.word_times and effort is not Effort.PARTIAL
        return LiveReading(
            text=reading.text,
            language=self._reader.language(reading, self._options),
            words=tuple(
                RecognizedWord(
                    text=reading.text[each.first : each.last],
                    start=each.start,
                    end=each.end,
                    confidence=each.confidence,
                )
                for each in words
            )
            if times
            else (),
            confidence=sum(known) / len(known) if known else None,
        )
