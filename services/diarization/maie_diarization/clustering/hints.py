"""What is known of the number of speakers before anybody listens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(kw_only=True, frozen=True, slots=True)
class Hints:
    """How many speakers there are; None is unknown.

    Attributes:
        speaker_count: Exactly so many; the other two are then without effect.
        min_speaker_count: At least so many, 1 or more.
        max_speaker_count: At most so many, `min_speaker_count` or more.
    """

    speaker_count: int | None = None
    min_speaker_count: int | None = None
    max_speaker_count: int | None = None

    def clip(self, count: int) -> int:
        """The allowed number next to a count."""
        if self.speaker_count is not None:
            return self.speaker_count
        at_least = max(count, self.min_speaker_count or 1)
        return at_least if self.max_speaker_count is None else min(at_least, self.max_speaker_count)
