"""What a summary engine is, in plain Python types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from maie.common.v1 import types_pb2 as common
from maie_llm import Generation
from maie_runtime.loadable import Loadable
from maie_runtime.stage import unheard
from maie_templates import Template

Notes = dict[str, Any]
"""What an engine keeps of a part of a transcript: a JSON object of its own shape."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Segment:
    """One utterance: its id, and its text as clean as there is."""

    segment_id: str
    text: str


@dataclass(kw_only=True, frozen=True, slots=True)
class Source:
    """Where an item of a summary comes from.

    Attributes:
        pointer: The item as a JSON Pointer into the content.
        segment_ids: The segments it was made from.
    """

    pointer: str
    segment_ids: tuple[str, ...]


@dataclass(kw_only=True, frozen=True, slots=True)
class Draft:
    """A filled template that nobody has checked yet.

    Attributes:
        content: What fills the template.
        sources: Where its items come from.
        warnings: What a person should know of it.
    """

    content: dict[str, Any]
    sources: tuple[Source, ...] = ()
    warnings: tuple[common.Warning, ...] = ()


class Engine(Protocol):
    """Fills templates in two steps, so that no transcript is too long.

    Cancelling either step stops the work and leaves the engine usable.
    """

    @property
    def description(self) -> str:
        """What the engine is, in one sentence."""
        ...

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What it can do, such as "map_reduce"."""
        ...

    @property
    def language_codes(self) -> tuple[str, ...]:
        """The languages it is made for, as BCP-47 tags; empty for any."""
        ...

    @property
    def weights(self) -> Loadable | None:
        """The model, where it can be unloaded to share a GPU; None where not, or without one."""
        ...

    def version(self, generation: Generation) -> common.EngineVersion:
        """The exact software, weights and settings, with what a request sets."""
        ...

    async def map(
        self, segments: Sequence[Segment], template: Template, language_code: str
    ) -> Notes:
        """Notes on one part of a transcript, its segments in recording order."""
        ...

    async def reduce(
        self,
        notes: Sequence[Notes],
        template: Template,
        generation: Generation,
        alive: Callable[[], None] = unheard,
    ) -> Draft:
        """Fills a template from the notes on all parts, in recording order.

        Args:
            notes: The notes.
            template: The template.
            generation: What the request sets; for language models.
            alive: Called at each sign of life, such as a word that a model writes.
        """
        ...
