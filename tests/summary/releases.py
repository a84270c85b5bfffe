"""The extractive engine as one of several releases, none of which reads another's notes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from maie.common.v1 import types_pb2 as common
from maie_llm import Generation
from maie_runtime.worker.stage import ignore_heartbeat
from maie_summary.engine import NOBODY, Draft, Engine, Notes, Segment
from maie_summary.engines.extractive import create
from maie_summary.settings import SummarySettings
from maie_summary.stage import SummarizeStage
from maie_templates import Template, TemplateLibrary


class Release:
    """One release of an engine.

    Args:
        engine: The engine behind it.
        name: The release.
        device: Where it runs.
    """

    def __init__(self, engine: Engine, name: str, device: str) -> None:
        self.description = engine.description
        self.capabilities = engine.capabilities
        self.language_codes = engine.language_codes
        self.weights = engine.weights
        self.mapped: list[str] = []
        self._engine = engine
        self._name = name
        self._device = device

    def version(self, generation: Generation) -> common.EngineVersion:
        version = self._engine.version(generation)
        version.library = self._name
        version.device = self._device
        return version

    async def map(
        self, segments: Sequence[Segment], template: Template, language_code: str
    ) -> Notes:
        self.mapped.append(segments[0].segment_id)
        return {self._name: await self._engine.map(segments, template, language_code)}

    async def reduce(
        self,
        notes: Sequence[Notes],
        template: Template,
        generation: Generation,
        heartbeat: Callable[[], None] = ignore_heartbeat,
        speakers: Mapping[str, str] = NOBODY,
    ) -> Draft:
        own = [note[self._name] for note in notes]
        return await self._engine.reduce(own, template, generation, heartbeat, speakers)


@asynccontextmanager
async def open_release(name: str, device: str = "cpu") -> AsyncIterator[Release]:
    """A release, ready to work."""
    async with create(SummarySettings()) as engine:
        yield Release(engine, name, device)


def stage_of(release: Release) -> SummarizeStage:
    """The stage around a release."""
    return SummarizeStage(release, TemplateLibrary())
