"""Groups utterances into chunks. Pure: no audio, no model, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from maie_speech.finder import Span
from maie_speech.frames import SAMPLE_RATE

# The part of the target by which a chunk may be shorter to end in a pause, not inside
# split speech.
REACH: Final = 0.25
# In samples: one window of Whisper. Long silence before speech is not worth decoding.
LEAD: Final = 30 * SAMPLE_RATE


@dataclass(kw_only=True, frozen=True, slots=True)
class ChunkPlan:
    """The audio and the speech of one chunk.

    Attributes:
        index: From 0, within one lane.
        speech: The utterances, in order, without overlap; never empty.
        span: The chunk's audio: its speech with a margin of silence around it,
            or the whole recording if that is one chunk.
    """

    index: int
    speech: tuple[Span, ...]
    span: Span


class ChunkPlanner:
    """Groups utterances into chunks while a recording is streamed.

    A chunk takes utterances as long as it stays within the target. It ends at
    the latest pause. If its last utterance was split and continues, it ends at
    a pause up to a quarter of the target earlier or, without one, at the split
    itself. The planner never cuts utterances, so a chunk is at most as long as
    the target or its only utterance. Padding and cuts lie in the pauses.

    Args:
        target: The target length of a chunk's speech, in samples.
        margin: The silence that chunks keep before and after their speech, in
            samples. Two chunks share a shorter pause equally.
    """

    def __init__(self, target: int, margin: int) -> None:
        self._target = target
        self._margin = margin
        self._group: list[Span] = []
        self._count = 0
        # The earliest start of the current chunk's audio.
        self._earliest = 0

    def add(self, utterance: Span) -> list[ChunkPlan]:
        """Adds the next utterance and returns the chunks that it completes."""
        plans = []
        while self._group and utterance.end - self._group[0].start > self._target:
            plans.append(self._cut(utterance.start))
        self._group.append(utterance)
        return plans

    def advance(self, watermark: int) -> list[ChunkPlan]:
        """Returns the chunks that no later utterance can join.

        Returns the same chunks as `add` would, but earlier.

        Args:
            watermark: No later utterance begins before this sample.
        """
        plans = []
        while self._group and watermark - self._group[0].start > self._target:
            if watermark - self._group[-1].end < 2 * self._margin:
                break  # the pause may turn out too short for a whole margin
            plans.append(self._cut(watermark))
        return plans

    def finish(self, total: int) -> list[ChunkPlan]:
        """Ends the recording, which has `total` samples."""
        if not self._group:
            return []
        if self._is_whole(total):
            return [ChunkPlan(index=0, speech=tuple(self._group), span=Span(start=0, end=total))]
        return [self._take(len(self._group), total)]

    def needed_from(self, watermark: int) -> int:
        """The first sample that later chunks may contain.

        Args:
            watermark: No later utterance begins before this sample.
        """
        if self._is_whole(watermark):
            return 0
        return self._begin(self._group[0].start if self._group else watermark)

    def _cut(self, next_start: int) -> ChunkPlan:
        """Ends the current chunk before an utterance that begins at `next_start`."""
        starts = [span.start for span in self._group[1:]] + [next_start]
        ends_in_pause = [start > span.end for span, start in zip(self._group, starts, strict=True)]
        if not ends_in_pause[-1]:
            earliest = self._group[0].start + self._target * (1 - REACH)
            for place in reversed(range(len(self._group))):
                if ends_in_pause[place] and self._group[place].end >= earliest:
                    return self._take(place + 1, self._half_way(place, starts[place]))
        return self._take(len(self._group), self._half_way(-1, next_start))

    def _is_whole(self, samples: int) -> bool:
        """Whether a recording with this number of samples is one chunk."""
        return self._count == 0 and samples <= self._target

    def _begin(self, speech: int) -> int:
        """The start of the next chunk's audio if its speech begins at `speech`."""
        return max(self._earliest, speech - (self._margin if self._count else LEAD))

    def _half_way(self, place: int, next_start: int) -> int:
        return (self._group[place].end + next_start) // 2

    def _take(self, count: int, latest: int) -> ChunkPlan:
        """Makes a chunk of the first utterances; its audio ends no later than `latest`."""
        speech = tuple(self._group[:count])
        span = Span(
            start=self._begin(speech[0].start),
            end=min(latest, speech[-1].end + self._margin),
        )
        plan = ChunkPlan(index=self._count, speech=speech, span=span)
        self._earliest = latest
        self._count += 1
        del self._group[:count]
        return plan
