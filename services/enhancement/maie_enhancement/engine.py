"""The interface of an enhancement engine, in plain Python types."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from maie.common.v1 import types_pb2 as common
from maie_llm import Generation
from maie_runtime.gpu.loadable import Loadable
from maie_runtime.worker.stage import ignore_heartbeat


@dataclass(kw_only=True, frozen=True, slots=True)
class Word:
    """A word and its times in seconds from the recording's start."""

    text: str
    start: float
    end: float


@dataclass(kw_only=True, frozen=True, slots=True)
class Segment:
    """The text of one utterance; times in seconds from the recording's start.

    Attributes:
        words: The words of the text in order, or empty without times.
    """

    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()


@dataclass(kw_only=True, frozen=True, slots=True)
class Piece:
    """Clean text to append to that of a segment so far.

    Attributes:
        segment: The segment's position in the request, from 0.
        text: The text to append.
        kept: Whether it is the raw text, because the engine has no clean text
            with the same words.
    """

    segment: int
    text: str
    kept: bool = False


class Engine(Protocol):
    """Punctuates and cases text, and changes nothing else."""

    @property
    def description(self) -> str:
        """The engine, in one sentence."""
        ...

    @property
    def language_codes(self) -> tuple[str, ...]:
        """The supported languages, as BCP-47 tags; empty for any."""
        ...

    @property
    def max_word_change(self) -> float:
        """The share of a segment's words that it may change."""
        ...

    @property
    def weights(self) -> Loadable | None:
        """The model, if it can be unloaded to share a GPU; else None."""
        ...

    def version(self, generation: Generation) -> common.EngineVersion:
        """The exact software, weights and parameters, with those of a request."""
        ...

    def enhance(
        self,
        segments: Sequence[Segment],
        language_code: str,
        generation: Generation,
        heartbeat: Callable[[], None] = ignore_heartbeat,
    ) -> AsyncGenerator[Piece, None]:
        """Yields the clean text of each segment, in order.

        Cancelling the iteration stops the work; the engine stays usable.

        Args:
            segments: The segments of one chunk, in recording order.
            language_code: The spoken language as a BCP-47 tag; empty if
                unknown.
            generation: The request's generation parameters, for language models.
            heartbeat: Called at each heartbeat between pieces.
        """
        ...
