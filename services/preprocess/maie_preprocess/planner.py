"""From utterances to chunks. Pure: no audio, no model, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from maie_speech.finder import Span
from maie_speech.frames import SAMPLE_RATE

# How much of a chunk may be given up to end it in a pause rather than inside
# long speech that was split.
REACH: Final = 0.25
# Samples: one window of Whisper. An hour of silence before a minute of speech is not worth reading.
LEAD: Final = 30 * SAMPLE_RATE


@dataclass(kw_only=True, frozen=True, slots=True)
class ChunkPlan:
    """A stretch to transcribe as one, and the speech within it.

    Attributes:
        index: From 0, among those of one lane.
        speech: The utterances, in order, without overlap; never empty.
        span: What the chunk's audio covers: its speech and a margin of the
            silence around it, or all of a recording that is one chunk.
    """

    index: int
    speech: tuple[Span, ...]
    span: Span


class ChunkPlanner:
    """Groups utterances into chunks while a recording passes by.

    A chunk takes utterances as long as it stays within the target. It ends at
    the latest pause; where its last utterance was split and goes on, at a pause
    up to a quarter of the target earlier, and only where there is none at the
    split itself. Utterances are never cut here, so that a chunk is at most as
    long as the target or its one utterance. Their padding lies in the pause,
    and so do the cuts.

    Args:
        target: The length in samples that the speech of a chunk aims at.
        margin: Samples of silence that chunks keep before and after their
            speech. Two chunks share a shorter pause half and half.
    """

    def __init__(self, target: int, margin: int) -> None:
        self._target = target
        self._margin = margin
        self._group: list[Span] = []
        self._count = 0
        # Where the audio of the chunk in hand may begin.
        self._earliest = 0

    def add(self, utterance: Span) -> list[ChunkPlan]:
        """Takes the next utterance and gives the chunks that it completes."""
        plans = []
        while self._group and utterance.end - self._group[0].start > self._target:
            plans.append(self._cut(utterance.start))
        self._group.append(utterance)
        return plans

    def advance(self, watermark: int) -> list[ChunkPlan]:
        """Gives the chunks that nothing can join any more.

        Gives them earlier than `add` would, but never other ones.

        Args:
            watermark: No utterance yet to come begins before this sample.
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
        """The first sample that chunks yet to come may hold.

        Args:
            watermark: No utterance yet to come begins before this sample.
        """
        if self._is_whole(watermark):
            return 0
        return self._begin(self._group[0].start if self._group else watermark)

    def _cut(self, next_start: int) -> ChunkPlan:
        """Ends the chunk in hand before an utterance that begins at `next_start`."""
        starts = [span.start for span in self._group[1:]] + [next_start]
        ends_in_pause = [start > span.end for span, start in zip(self._group, starts, strict=True)]
        if not ends_in_pause[-1]:
            earliest = self._group[0].start + self._target * (1 - REACH)
            for place in reversed(range(len(self._group))):
                if ends_in_pause[place] and self._group[place].end >= earliest:
                    return self._take(place + 1, self._half_way(place, starts[place]))
        return self._take(len(self._group), self._half_way(-1, next_start))

    def _is_whole(self, samples: int) -> bool:
        """Whether a recording of so many samples is one chunk."""
        return self._count == 0 and samples <= self._target

    def _begin(self, speech: int) -> int:
        """Where the audio of the next chunk begins if its speech begins at `speech`."""
        return max(self._earliest, speech - (self._margin if self._count else LEAD))

    def _half_way(self, place: int, next_start: int) -> int:
        return (self._group[place].end + next_start) // 2

    def _take(self, count: int, latest: int) -> ChunkPlan:
        """Makes a chunk of the first utterances; its audio ends at `latest` at the latest."""
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
