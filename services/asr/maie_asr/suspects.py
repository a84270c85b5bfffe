"""Finds text that was probably never spoken."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from concurrent.futures import Executor

from maie.common.v1 import types_pb2 as common
from maie_asr.engine import SAMPLE_RATE, RecognizedSegment, SpeechRange
from maie_asr.settings import SuspectTextSettings
from maie_asr.unread import TOLERANCE, Interval, text_places
from maie_asr.vad import VoiceActivity

# In words. Recognisers repeat phrases, not paragraphs.
MAX_PHRASE = 30
# A longer word comes from a script without spaces; there, characters are counted.
UNBROKEN_WORD = 24
_WORD = re.compile(r"\w+")


class SegmentJudge:
    """Judges the segments of one chunk, in order, and checks them with the VAD.

    Args:
        settings: The thresholds.
        ranges: The chunk's speech ranges.
        activity: The VAD's output for the chunk.
        by_words: Whether the words' times are reliable, and not only those of segments.
        executor: Where the VAD runs.
    """

    def __init__(
        self,
        settings: SuspectTextSettings,
        ranges: Sequence[SpeechRange],
        activity: VoiceActivity,
        executor: Executor,
        *,
        by_words: bool,
    ) -> None:
        self._settings = settings
        self._activity = activity
        self._by_words = by_words
        self._executor = executor
        self._finder = SuspectFinder(settings, ranges)

    async def judge(self, segment: RecognizedSegment) -> common.SuspectReason:
        """What is wrong with a segment; unspecified where nothing is.

        Recognisers give invented text a high confidence, too, and a plan may take noise for speech.
        So the VAD must not rule out speech, and outside the plan's speech ranges the engine's
        confidence must be high as well.
        """
        reason = self._finder.judge(segment)
        if reason == common.SUSPECT_REASON_REPETITION or not segment.text:
            return reason
        if reason == common.SUSPECT_REASON_NON_SPEECH and not self._is_confident(segment):
            return reason
        loop = asyncio.get_running_loop()
        if await loop.run_in_executor(self._executor, self._may_be_spoken, segment):
            return common.SUSPECT_REASON_UNSPECIFIED
        return common.SUSPECT_REASON_NON_SPEECH

    def _is_confident(self, segment: RecognizedSegment) -> bool:
        confidence = segment.confidence
        return confidence is not None and confidence >= self._settings.keep_confidence

    def _may_be_spoken(self, segment: RecognizedSegment) -> bool:
        places = [
            Interval(start=place.start - TOLERANCE, end=place.end + TOLERANCE)
            for place in text_places(segment, by_words=self._by_words)
        ]
        return self._activity.may_be_speech(places)


class SuspectFinder:
    """Judges the segments of one chunk, in order.

    Args:
        settings: The thresholds.
        speech: The chunk's speech ranges.
    """

    def __init__(self, settings: SuspectTextSettings, speech: Sequence[SpeechRange]) -> None:
        self._settings = settings
        self._speech = speech
        self._last: list[str] = []
        self._equal = 0

    def judge(self, segment: RecognizedSegment) -> common.SuspectReason:
        """What is wrong with a segment; unspecified where nothing is."""
        units = _units(segment.text)
        self._equal = self._equal + 1 if units and units == self._last else 1
        self._last = units
        if self._equal > self._settings.max_repeats or self._loops(units):
            return common.SUSPECT_REASON_REPETITION
        if self._speech_share(segment) < self._settings.min_speech_share:
            return common.SUSPECT_REASON_NON_SPEECH
        return common.SUSPECT_REASON_UNSPECIFIED

    def _loops(self, units: Sequence[str]) -> bool:
        """Whether one phrase, repeated too often in a row, makes up half of a text or more."""
        for period in range(1, min(MAX_PHRASE, len(units) // 2) + 1):
            run = _longest_run(units, period)
            repeats = run // period + 1
            if repeats > self._settings.max_repeats and 2 * (run + period) >= len(units):
                return True
        return False

    def _speech_share(self, segment: RecognizedSegment) -> float:
        start, end = segment.start * SAMPLE_RATE, segment.end * SAMPLE_RATE
        if end <= start:
            return float(any(each.start <= start <= each.end for each in self._speech))
        overlaps = (min(end, each.end) - max(start, each.start) for each in self._speech)
        return sum(overlap for overlap in overlaps if overlap > 0) / (end - start)


def _units(text: str) -> list[str]:
    """Words without punctuation and casing."""
    words = _WORD.findall(text.casefold())
    if any(len(word) > UNBROKEN_WORD for word in words):
        return list("".join(words))
    return words


def _longest_run(units: Sequence[str], period: int) -> int:
    """The longest run of units that equal the unit `period` before them."""
    longest = run = 0
    for index in range(period, len(units)):
        run = run + 1 if units[index] == units[index - period] else 0
        longest = max(longest, run)
    return longest
