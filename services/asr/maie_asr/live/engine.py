"""The interface of an engine for live speech, in plain Python types."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from maie_asr.engine import RecognizedWord, RecognizeOptions, Samples


class Effort(enum.Enum):
    """How thoroughly to read."""

    PARTIAL = enum.auto()
    """The text so far, soon; words need no times."""
    QUICK = enum.auto()
    """A final while there is much to do."""
    FULL = enum.auto()
    """A final."""


@dataclass(kw_only=True, frozen=True, slots=True)
class LiveReading:
    """The text of an utterance.

    Attributes:
        text: What was said; empty where nothing was understood.
        language: The language that was spoken, as a BCP-47 tag; empty where it is not known.
        words: The words with their times in seconds from the utterance's start; empty if they were
            not requested or the engine has none.
        confidence: The mean probability that the words are right, 0 to 1; None where the engine has
            no meaningful figure.
    """

    text: str
    language: str = ""
    words: tuple[RecognizedWord, ...] = ()
    confidence: float | None = None


class LiveUtterance(Protocol):
    """One utterance, read while it grows.

    An engine that reads audio as a whole keeps nothing between two readings. A streaming engine
    keeps its state here, and reads what is new since the reading before; where a final is shorter
    than a partial before it, since a long utterance was divided, it begins again.
    """

    async def read(self, samples: Samples, effort: Effort) -> LiveReading:
        """Reads the utterance so far.

        Calls do not overlap, but for one that is no longer wanted: a partial ends by itself after
        the utterance is over.

        Args:
            samples: All of its audio so far.
            effort: How thoroughly to read it.

        Raises:
            StageError: It could not be read; the engine still works.
        """
        ...

    def drop(self) -> None:
        """Notes that nobody wants what is being read: that may end early, with any text."""
        ...


class LiveEngine(Protocol):
    """Reads the utterances of many tracks, as many at a time as the service has live workers."""

    def open(self, options: RecognizeOptions) -> LiveUtterance:
        """Begins an utterance.

        Args:
            options: How to read it. `translate`, and what cuts silence out, are not set.
        """
        ...


@runtime_checkable
class OffersLive(Protocol):
    """An Engine that reads live speech by a way of its own.

    Others read each utterance again and again as if it were a chunk.
    """

    def live(self) -> LiveEngine | None:
        """The engine for live speech, in the same memory; None where that would slow either."""
        ...
