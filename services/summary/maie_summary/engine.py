"""The interface of a summary engine, in plain Python types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from maie.common.v1 import types_pb2 as common
from maie_llm import Generation
from maie_runtime.gpu.loadable import Loadable
from maie_runtime.worker.stage import ignore_heartbeat
from maie_templates import Template

Notes = dict[str, Any]
"""An engine's notes on a part of a transcript: a JSON object in its own format."""
NOBODY: Mapping[str, str] = MappingProxyType({})
"""The speakers of a transcript without any."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Segment:
    """One utterance.

    Attributes:
        segment_id: Its id.
        text: Its clean text, or else its raw text.
        speaker: Who speaks, such as "S1"; empty if nobody knows.
    """

    segment_id: str
    text: str
    speaker: str = ""


@dataclass(kw_only=True, frozen=True, slots=True)
class Source:
    """The sources of an item of a summary.

    Attributes:
        pointer: The item as a JSON Pointer into the content.
        segment_ids: The segments it is based on.
    """

    pointer: str
    segment_ids: tuple[str, ...]


@dataclass(kw_only=True, frozen=True, slots=True)
class Draft:
    """A filled template that is not checked yet.

    Attributes:
        content: The content.
        sources: The sources of its items.
        warnings: Warnings about it.
    """

    content: dict[str, Any]
    sources: tuple[Source, ...] = ()
    warnings: tuple[common.Warning, ...] = ()


class Engine(Protocol):
    """Fills templates in two steps, so that no transcript is too long.

    Cancelling either step stops the work; the engine stays usable.
    """

    @property
    def description(self) -> str:
        """The engine, in one sentence."""
        ...

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What it can do, such as "map_reduce"."""
        ...

    @property
    def language_codes(self) -> tuple[str, ...]:
        """The supported languages, as BCP-47 tags; empty for any."""
        ...

    @property
    def weights(self) -> Loadable | None:
        """The model, if it can be unloaded to share a GPU; else None."""
        ...

    def version(self, generation: Generation) -> common.EngineVersion:
        """The exact software, weights and parameters, with those of a request."""
        ...

    async def map(
        self, segments: Sequence[Segment], template: Template, language_code: str
    ) -> Notes:
        """Makes notes on one part of a transcript, its segments in recording order."""
        ...

    async def reduce(
        self,
        notes: Sequence[Notes],
        template: Template,
        generation: Generation,
        heartbeat: Callable[[], None] = ignore_heartbeat,
        speakers: Mapping[str, str] = NOBODY,
    ) -> Draft:
        """Fills a template from the notes on all parts, in recording order.

        Args:
            notes: The notes.
            template: The template.
            generation: The request's generation parameters, for language models.
            heartbeat: Called at each heartbeat, such as a token from a model.
            speakers: What people call each speaker, such as "Anna" or "Speaker 1" for
                "S1". Names may change between the steps, so notes have ids.
        """
        ...
