"""The second reading: transcribes speech again that has no text after the first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import replace
from typing import Any, TypeVar

from maie_asr.draft import Draft
from maie_asr.engine import (
    SAMPLE_RATE,
    Engine,
    RecognizedSegment,
    RecognizeOptions,
    Speech,
    SpeechRange,
)
from maie_asr.settings import RereadSettings, SuspectTextSettings
from maie_asr.suspects import SuspectFinder
from maie_asr.unread import Interval, intervals, within
from maie_asr.vad import VoiceActivity
from maie_core.attributes import AUDIO_SECONDS
from maie_runtime.worker.engine_calls import engine_call

T = TypeVar("T")

# Context on both sides of an interval, in seconds: the engine's end times of the words next to it
# are not exact.
MARGIN_SECONDS = 0.1
# Seconds of sure speech from which an interval without text is reported. Music and noise have at
# most a fifth of a second (docs/accuracy.md).
SURE_SECONDS = 0.5


class SecondReader:
    """Reads intervals of one chunk by themselves.

    Args:
        engine: The engine.
        options: The options of the first reading.
        speech: The chunk.
        activity: The VAD's output for the chunk.
        settings: Which speech is read again, and with which confidence text is kept.
        suspect_text: What counts as a loop.
        executor: Where the VAD runs.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        options: RecognizeOptions,
        speech: Speech,
        activity: VoiceActivity,
        settings: RereadSettings,
        suspect_text: SuspectTextSettings,
        executor: Executor,
    ) -> None:
        self._engine = engine
        self._options = replace(options, alone=True, word_times=True)
        self._speech = speech
        self._activity = activity
        self._settings = settings
        self._suspect_text = suspect_text
        self._executor = executor

    async def fill(self, draft: Draft, language: str) -> AsyncGenerator[str, None]:
        """Reads speech without text: each interval as a whole, then what is left range by range.

        Args:
            draft: Gets the text that is found, and the intervals that still have none.
            language: The chunk's language; empty where it is not known.

        Yields:
            The language, after each reading.

        Raises:
            StageError: As the engine raises it.
        """
        tried: set[Interval] = set()
        for divide in (_whole, self._by_ranges):
            for interval in [part for each in draft.unread() for part in divide(each)]:
                if interval in tried or not await self._may_be_speech(interval):
                    continue
                tried.add(interval)
                found = await self._read(interval, language)
                draft.insert(found)
                language = language or next((each.language for each in found), "")
                yield language
            if divide is _whole:
                draft.count_reread(len(tried))
        for interval in draft.unread():
            if await self._is_surely_speech(interval):
                draft.report_unread(interval)

    async def _may_be_speech(self, interval: Interval) -> bool:
        """Whether an interval may hold speech; noise is not read again."""
        return await self._compute(self._activity.may_be_speech, [interval])

    async def _is_surely_speech(self, interval: Interval) -> bool:
        spoken = await self._compute(self._activity.surely_spoken_seconds, interval)
        return spoken >= SURE_SECONDS

    def _by_ranges(self, interval: Interval) -> list[Interval]:
        """The speech ranges of an interval."""
        return [
            Interval(start=max(interval.start, span.start), end=min(interval.end, span.end))
            for span in intervals(self._speech.ranges)
            if span.end > interval.start and span.start < interval.end
        ]

    async def _read(self, interval: Interval, language: str) -> list[RecognizedSegment]:
        """The text of an interval, in order.

        Text with a low confidence and loops are left out: after a failed first reading, a second
        one is likely to invent text.
        """
        start, speech = self._cut(interval)
        options = replace(self._options, language=self._options.language or language)
        finder = SuspectFinder(self._suspect_text, speech.ranges)
        found = []
        with engine_call("maie.asr.reread", {AUDIO_SECONDS: speech.seconds}):
            async with aclosing(self._engine.recognize(speech, options)) as recognized:
                async for segment in recognized:
                    if not segment.text or finder.judge(segment) or not self._sure(segment):
                        continue
                    said = within(_moved(segment, start), interval)
                    if said is not None:
                        found.append(said)
        return found

    def _sure(self, segment: RecognizedSegment) -> bool:
        confidence = segment.confidence
        return confidence is None or confidence >= self._settings.min_confidence

    def _cut(self, interval: Interval) -> tuple[float, Speech]:
        first = max(0, round((interval.start - MARGIN_SECONDS) * SAMPLE_RATE))
        last = round((interval.end + MARGIN_SECONDS) * SAMPLE_RATE)
        samples = self._speech.samples[first:last]
        whole = (SpeechRange(start=0, end=len(samples)),)
        return first / SAMPLE_RATE, Speech(samples=samples, ranges=whole)

    async def _compute(self, function: Callable[..., T], *arguments: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, function, *arguments)


def _whole(interval: Interval) -> list[Interval]:
    return [interval]


def _moved(segment: RecognizedSegment, seconds: float) -> RecognizedSegment:
    words = tuple(
        replace(word, start=word.start + seconds, end=word.end + seconds) for word in segment.words
    )
    return replace(segment, start=segment.start + seconds, end=segment.end + seconds, words=words)
