"""The audio of a recording, read a piece at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from maie_alignment.engine import SAMPLE_RATE, Samples


class Audio(Protocol):
    """The audio of a recording."""

    @property
    def seconds(self) -> float:
        """Its length."""
        ...

    async def read(self, start: int, end: int) -> Samples:
        """Reads a range of samples; fewer where the recording ends before.

        Args:
            start: The first sample, from the recording's start.
            end: The sample after the last.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class WholeAudio:
    """A recording that is in memory.

    Attributes:
        samples: All of it.
    """

    samples: Samples

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / SAMPLE_RATE

    async def read(self, start: int, end: int) -> Samples:
        """Reads a range of samples."""
        return self.samples[start:end]
