"""The transcript of one chunk while it is being made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from maie.common.v1 import types_pb2 as common
from maie_asr.engine import RecognizedSegment
from maie_asr.messages import segment_message, time_range
from maie_asr.settings import SuspectTextPolicy
from maie_asr.source import Source
from maie_asr.unread import Stretch, find_unread, insert, stretches, text_places


@dataclass(kw_only=True, frozen=True, slots=True)
class DraftRules:
    """How a draft is made.

    Attributes:
        policy: What becomes of suspect text.
        min_unread_seconds: Speech that has no text for so long is looked for; 0 for none.
        by_words: Whether words' times say where there is text, not only those of segments.
        word_times: Whether words are asked for.
    """

    policy: SuspectTextPolicy
    min_unread_seconds: float
    by_words: bool
    word_times: bool


class Draft:
    """Numbers segments in the order of time, and never changes one that was handed out.

    From the first speech that has no text on, segments are held back until it is known whether a
    second reading finds some: what it finds comes before them.

    Args:
        transcript: Takes the segments and what was left out.
        source: The chunk.
        rules: How the draft is made.
    """

    def __init__(self, transcript: common.Transcript, source: Source, rules: DraftRules) -> None:
        self._transcript = transcript
        self._source = source
        self._rules = rules
        self._ranges = stretches(source.speech.ranges)
        self._read: list[Stretch] = []
        self._held: list[RecognizedSegment] = []
        # Up to here all speech has text.
        self._checked = 0.0

    def add(self, found: RecognizedSegment, reason: common.SuspectReason) -> common.Segment | None:
        """Takes the next segment.

        Args:
            found: The segment.
            reason: What is wrong with it; unspecified for nothing.

        Returns:
            The segment, unless it is left out or held back.
        """
        if reason and self._rules.policy != "off":
            removed = self._rules.policy == "remove"
            self._transcript.suspect_texts.add(
                range=time_range(found.start, found.end, self._source.offset),
                text=found.text,
                reason=reason,
                removed=removed,
            )
            if removed:
                return None
        places = text_places(found, by_words=self._rules.by_words)
        self._read += places
        if self._held or self._skips(places):
            self._held.append(found)
            return None
        return self._append(found)

    def unread(self) -> list[Stretch]:
        """Where somebody speaks and there is no text as yet."""
        if not self._rules.min_unread_seconds:
            return []
        return find_unread(self._ranges, self._read, self._rules.min_unread_seconds)

    def insert(self, found: Sequence[RecognizedSegment]) -> None:
        """Takes what a second reading found, all of it in one stretch of `unread`."""
        for segment in found:
            self._read += text_places(segment, by_words=self._rules.by_words)
            self._held = insert(self._held, segment)

    def count_reread(self, count: int) -> None:
        """Notes how many stretches were read again."""
        self._transcript.reread_count = count

    def report_unread(self, stretch: Stretch) -> None:
        """Notes that a stretch has no text and will get none."""
        span = time_range(stretch.start, stretch.end, self._source.offset)
        self._transcript.unread.append(span)

    def finish(self) -> list[common.Segment]:
        """Gives the segments that were held back."""
        held, self._held = self._held, []
        return [self._append(segment) for segment in held]

    def _skips(self, places: Sequence[Stretch]) -> bool:
        """Whether speech lies before or among the next places that none of them has."""
        if not self._rules.min_unread_seconds:
            return False
        first, last = self._checked, max(place.end for place in places)
        passed = [
            Stretch(start=max(span.start, first), end=min(span.end, last))
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
