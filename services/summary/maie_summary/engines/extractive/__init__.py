"""The engine `extractive`: ranked sentences and cue phrases fill a template.

It quotes and never writes, so that it invents nothing; it needs no GPU and no
download.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.metadata import version
from importlib.resources import files
from typing import TypeVar

from maie.common.v1 import types_pb2 as common
from maie_llm import Generation
from maie_runtime.stage import unheard
from maie_summary.engine import Draft, Notes, Segment
from maie_summary.engines.extractive.cues import load_cues
from maie_summary.engines.extractive.fill import Filler
from maie_summary.engines.extractive.findings import Finder
from maie_summary.engines.extractive.sentences import Sentence, split_sentences
from maie_summary.settings import SummarySettings
from maie_templates import Template

ResultT = TypeVar("ResultT")


class ExtractiveEngine:
    """Fills templates with what was said.

    Args:
        finder: The rules.
        checkpoint_sha256: The hash over the rules.
        executor: Where the work runs.
    """

    description = "Ranked sentences (LexRank) and cue phrases; quotes and never writes."
    capabilities = ("extractive", "map_reduce")
    language_codes = ("en",)
    weights = None

    def __init__(
        self, finder: Finder, checkpoint_sha256: str, executor: ThreadPoolExecutor
    ) -> None:
        self._finder = finder
        self._checkpoint_sha256 = checkpoint_sha256
        self._executor = executor

    def version(self, generation: Generation) -> common.EngineVersion:
        """The rules by hash."""
        return common.EngineVersion(
            engine="extractive",
            library=f"scikit-learn {version('scikit-learn')}",
            model_name="english-cues",
            checkpoint_sha256=self._checkpoint_sha256,
            device="cpu",
        )

    async def map(
        self, segments: Sequence[Segment], template: Template, language_code: str
    ) -> Notes:
        """The sentences that matter, whatever the template."""

        def work() -> Notes:
            kept = self._finder.keep(split_sentences(segments))
            return {"sentences": [[s.text, list(s.segment_ids), s.score] for s in kept]}

        return await self._run(work)

    async def reduce(
        self,
        notes: Sequence[Notes],
        template: Template,
        generation: Generation,
        alive: Callable[[], None] = unheard,
    ) -> Draft:
        """The template, filled."""

        def work() -> Draft:
            parts = [
                [
                    Sentence(text=text, segment_ids=tuple(ids), score=score)
                    for text, ids, score in part["sentences"]
                ]
                for part in notes
            ]
            return Filler(template.schema, self._finder.find(parts)).fill()

        return await self._run(work)

    async def _run(self, work: Callable[[], ResultT]) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


def rules_sha256() -> str:
    """The SHA-256 over the rules: their data and their code, in the order of their names."""
    digest = hashlib.sha256()
    for entry in sorted(files(__package__).iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith((".py", ".toml")):
            digest.update(entry.read_bytes())
    return digest.hexdigest()


@asynccontextmanager
async def create(settings: SummarySettings) -> AsyncIterator[ExtractiveEngine]:
    """Loads the engine."""
    with ThreadPoolExecutor(settings.slots, "summary-extractive") as executor:
        yield ExtractiveEngine(Finder(load_cues()), rules_sha256(), executor)
