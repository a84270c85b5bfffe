"""Reads speech again that had no text in the first reading."""

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
from maie_asr.unread import Stretch, stretches, within
from maie_asr.vad import may_be_speech, surely_spoken_seconds

T = TypeVar("T")

# Heard beside the stretch itself, in seconds: the words next to it do not end exactly where the
# engine said.
MARGIN_SECONDS = 0.1
# Seconds of surely spoken sound from which a stretch without text is reported. Music and noise have
# a fifth of a second at most; docs/accuracy.md has the figures.
SURE_SECONDS = 0.5


class SecondReader:
    """Reads stretches of one chunk by themselves.

    Args:
        engine: The engine.
        options: How the chunk was read.
        speech: The chunk.
        settings: What is read again, and what counts as text then.
        suspect_text: What counts as a loop.
        executor: Where the speech in a stretch is measured.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        options: RecognizeOptions,
        speech: Speech,
        settings: RereadSettings,
        suspect_text: SuspectTextSettings,
        executor: Executor,
    ) -> None:
        self._engine = engine
        self._options = replace(options, alone=True, word_times=True)
        self._speech = speech
        self._settings = settings
        self._suspect_text = suspect_text
        self._executor = executor

    async def fill(self, draft: Draft, language: str) -> AsyncGenerator[str, None]:
        """Reads what has no text: each stretch as a whole, then what is left range by range.

        Args:
            draft: Takes what is found, and what still has no text.
            language: The chunk's language; empty where it is not known.

        Yields:
            The language, after each reading.

        Raises:
            StageError: What the engine raises.
        """
        tried: set[Stretch] = set()
        for divide in (_whole, self._by_ranges):
            for stretch in [part for each in draft.unread() for part in divide(each)]:
                if stretch in tried or not await self._may_be_speech(stretch):
                    continue
                tried.add(stretch)
                found = await self._read(stretch, language)
                draft.insert(found)
                language = language or next((each.language for each in found), "")
                yield language
            if divide is _whole:
                draft.count_reread(len(tried))
        for stretch in draft.unread():
            if await self._is_surely_speech(stretch):
                draft.report_unread(stretch)

    async def _may_be_speech(self, stretch: Stretch) -> bool:
        """Whether the VAD is not sure of nobody: noise costs no second reading."""
        return await self._ask(may_be_speech, self._speech.samples, [stretch])

    async def _is_surely_speech(self, stretch: Stretch) -> bool:
        spoken = await self._ask(surely_spoken_seconds, self._speech.samples, stretch)
        return spoken >= SURE_SECONDS

    def _by_ranges(self, stretch: Stretch) -> list[Stretch]:
        """The speech ranges of a stretch."""
        return [
            Stretch(start=max(stretch.start, span.start), end=min(stretch.end, span.end))
            for span in stretches(self._speech.ranges)
            if span.end > stretch.start and span.start < stretch.end
        ]

    async def _read(self, stretch: Stretch, language: str) -> list[RecognizedSegment]:
        """What is said in a stretch, in order.

        Text that the engine is unsure of, or that loops, is left out: where one reading has
        failed, another is likely to invent.
        """
        start, speech = self._cut(stretch)
        options = replace(self._options, language=self._options.language or language)
        finder = SuspectFinder(self._suspect_text, speech.ranges)
        found = []
        async with aclosing(self._engine.recognize(speech, options)) as recognized:
            async for segment in recognized:
                if not segment.text or finder.judge(segment) or not self._sure(segment):
                    continue
                said = within(_moved(segment, start), stretch)
                if said is not None:
                    found.append(said)
        return found

    def _sure(self, segment: RecognizedSegment) -> bool:
        confidence = segment.confidence
        return confidence is None or confidence >= self._settings.min_confidence

    def _cut(self, stretch: Stretch) -> tuple[float, Speech]:
        first = max(0, round((stretch.start - MARGIN_SECONDS) * SAMPLE_RATE))
        last = round((stretch.end + MARGIN_SECONDS) * SAMPLE_RATE)
        samples = self._speech.samples[first:last]
        whole = (SpeechRange(start=0, end=len(samples)),)
        return first / SAMPLE_RATE, Speech(samples=samples, ranges=whole)

    async def _ask(self, question: Callable[..., T], *arguments: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, question, *arguments)


def _whole(stretch: Stretch) -> list[Stretch]:
    return [stretch]


def _moved(segment: RecognizedSegment, seconds: float) -> RecognizedSegment:
    words = tuple(
        replace(word, start=word.start + seconds, end=word.end + seconds) for word in segment.words
    )
    return replace(segment, start=segment.start + seconds, end=segment.end + seconds, words=words)
