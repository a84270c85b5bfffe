"""From utterances to chunks. Pure: no audio, no model, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from maie_preprocess.speech import Span

# How much of a chunk may be given up to end it in a pause rather than inside
# long speech that was split.
REACH: Final = 0.25


@dataclass(kw_only=True, frozen=True, slots=True)
class ChunkPlan:
    """A stretch to transcribe as one, and the speech within it.

    Attributes:
        index: From 0.
        speech: The utterances, in order, without overlap; never empty.
        until: Where the next utterance begins, at the earliest; None at the
            end of the recording.
    """

    index: int
    speech: tuple[Span, ...]
    until: int | None

    @property
    def span(self) -> Span:
        """What the chunk covers: from its first utterance to its last."""
        return Span(start=self.speech[0].start, end=self.speech[-1].end)


class ChunkPlanner:
    """Groups utterances into chunks while a recording passes by.

    A chunk takes utterances as long as it stays within the target. It ends at
    the latest pause; where its last utterance was split and goes on, at a pause
    up to a quarter of the target earlier, and only where there is none at the
    split itself. Utterances are never cut here, so that a chunk is at most as
    long as the target or its one utterance. Their padding lies in the pause,
    and so do the cuts.

    Args:
        target: The length in samples that chunks aim at.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._group: list[Span] = []
        self._count = 0

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
            plans.append(self._cut(watermark))
        return plans

    def finish(self) -> list[ChunkPlan]:
        """Ends the recording."""
        return [self._take(len(self._group), None)] if self._group else []

    @property
    def start(self) -> int | None:
        """Where the chunk in hand begins; None where there is none."""
        return self._group[0].start if self._group else None

    def _cut(self, next_start: int) -> ChunkPlan:
        """Ends the chunk in hand before an utterance that begins at `next_start`."""
        starts = [span.start for span in self._group[1:]] + [next_start]
        ends_in_pause = [start > span.end for span, start in zip(self._group, starts, strict=True)]
        if not ends_in_pause[-1]:
            earliest = self._group[0].start + self._target * (1 - REACH)
            for place in reversed(range(len(self._group))):
                if ends_in_pause[place] and self._group[place].end >= earliest:
                    return self._take(place + 1, starts[place])
        return self._take(len(self._group), next_start)

    def _take(self, count: int, until: int | None) -> ChunkPlan:
        plan = ChunkPlan(index=self._count, speech=tuple(self._group[:count]), until=until)
        self._count += 1
        del self._group[:count]
        return plan
