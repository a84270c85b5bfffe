"""The transcript of one chunk under construction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from maie.common.v1 import types_pb2 as common
from maie_asr.engine import RecognizedSegment
from maie_asr.messages import segment_message
from maie_asr.settings import SuspectTextPolicy
from maie_asr.source import Source
from maie_asr.unread import Interval, find_unread, insert, intervals, text_places
from maie_core.durations import time_range


@dataclass(kw_only=True, frozen=True, slots=True)
class DraftRules:
    """The rules for a draft.

    Attributes:
        policy: What to do with suspect text.
        min_unread_seconds: The shortest speech without text that is looked for; 0 for none.
        by_words: Whether the words' times are reliable, and not only those of segments.
        word_times: Whether words are asked for.
    """

    policy: SuspectTextPolicy
    min_unread_seconds: float
    by_words: bool
    word_times: bool


class Draft:
    """Numbers segments in time order, and never changes one that it has returned.

    After the first speech without text, segments are pending until the second reading is done: the
    text that it finds comes before them.

    Args:
        transcript: Gets the segments, the suspect text and the unread speech.
        source: The chunk.
        rules: The rules.
    """

    def __init__(self, transcript: common.Transcript, source: Source, rules: DraftRules) -> None:
        self._transcript = transcript
        self._source = source
        self._rules = rules
        self._ranges = intervals(source.speech.ranges)
        self._read: list[Interval] = []
        self._pending: list[RecognizedSegment] = []
        # Up to here all speech has text.
        self._checked = 0.0

    def add(self, found: RecognizedSegment, reason: common.SuspectReason) -> common.Segment | None:
        """Takes the next segment.

        Args:
            found: The segment.
            reason: What is wrong with it; unspecified for nothing.

        Returns:
            The segment, unless it is left out or pending.
        """
        if reason and self._rules.policy != "off":
            removed = self._rules.policy == "remove"
            self._transcript.suspect_texts.add(
                range=self._range(found.start, found.end),
                text=found.text,
                reason=reason,
                removed=removed,
            )
            if removed:
                return None
        places = text_places(found, by_words=self._rules.by_words)
        self._read += places
        if self._pending or self._skips(places):
            self._pending.append(found)
            return None
        return self._append(found)

    def unread(self) -> list[Interval]:
        """The speech that has no text yet."""
        if not self._rules.min_unread_seconds:
            return []
        return find_unread(self._ranges, self._read, self._rules.min_unread_seconds)

    def insert(self, found: Sequence[RecognizedSegment]) -> None:
        """Adds the text that the second reading found in one interval of `unread`."""
        for segment in found:
            self._read += text_places(segment, by_words=self._rules.by_words)
            self._pending = insert(self._pending, segment)

    def count_reread(self, count: int) -> None:
        """Records how many intervals were read again."""
        self._transcript.reread_count = count

    def report_unread(self, interval: Interval) -> None:
        """Records that an interval has no text after the second reading."""
        span = self._range(interval.start, interval.end)
        self._transcript.unread.append(span)

    def finish(self) -> list[common.Segment]:
        """Returns the pending segments."""
        pending, self._pending = self._pending, []
        return [self._append(segment) for segment in pending]

    def _range(self, start: float, end: float) -> common.TimeRange:
        """An interval of the chunk, in seconds, as a range of the recording."""
        return time_range(self._source.offset + start, self._source.offset + end)

    def _skips(self, places: Sequence[Interval]) -> bool:
        """Whether there is speech without text before or between the next segment's places."""
        if not self._rules.min_unread_seconds:
            return False
        first, last = self._checked, max(place.end for place in places)
        passed = [
            Interval(start=max(span.start, first), end=min(span.end, last))
            for span in self._ranges
            if span.end > first and span.start < last
        ]
        self._checked = max(first, last)
        return bool(find_unread(passed, places, self._rules.min_unread_seconds))

    def _append(self, found: RecognizedSegment) -> common.Segment:
        segments = self._transcript.segments
        segment_id = f"c{self._source.chunk:04d}-s{len(segments):04d}"
        shown = found if self._rules.word_times else replace(found, words=())
        segment = segment_message(shown, segment_id, self._source)
        segments.append(segment)
        return segment
