"""The engine `extractive`: ranked sentences and cue phrases fill a template.

It only quotes, so it invents nothing; it needs neither a GPU nor a
download.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.metadata import version
from importlib.resources import files
from typing import TypeVar

from maie.common.v1 import types_pb2 as common
from maie_core.reasons import WarningReason
from maie_core.result_warnings import result_warning
from maie_llm import Generation
from maie_runtime.worker.stage import ignore_heartbeat
from maie_summary.engine import NOBODY, Draft, Notes, Segment
from maie_summary.engines.extractive.cues import load_cues
from maie_summary.engines.extractive.fill import Filler
from maie_summary.engines.extractive.findings import Finder, Part
from maie_summary.engines.extractive.rank import ENGLISH
from maie_summary.engines.extractive.sentences import Sentence, split_sentences
from maie_summary.settings import SummarySettings
from maie_summary.words import base_language, guessed_language
from maie_templates import Template

ResultT = TypeVar("ResultT")


class ExtractiveEngine:
    """Fills templates with quotes.

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
            library=f"maie-summary {version('maie-summary')}",
            model_name="english-cues",
            checkpoint_sha256=self._checkpoint_sha256,
            device="cpu",
        )

    async def map(
        self, segments: Sequence[Segment], template: Template, language_code: str
    ) -> Notes:
        """The relevant sentences, for any template."""

        def work() -> Notes:
            sentences = split_sentences(segments)
            language = base_language(language_code) or guessed_language(
                " ".join(sentence.text for sentence in sentences), ENGLISH
            )
            kept = self._finder.keep(sentences, language)
            return {
                "language": language,
                "sentences": [[s.text, list(s.segment_ids), s.score, s.speaker] for s in kept],
            }

        return await self._run(work)

    async def reduce(
        self,
        notes: Sequence[Notes],
        template: Template,
        generation: Generation,
        heartbeat: Callable[[], None] = ignore_heartbeat,
        speakers: Mapping[str, str] = NOBODY,
    ) -> Draft:
        """The filled template."""

        def work() -> Draft:
            parts = [_part(part, speakers) for part in notes if part["sentences"]]
            draft = Filler(template.schema, self._finder.find(parts)).fill()
            foreign = sorted({part.language for part in parts} - {ENGLISH})
            return replace(draft, warnings=(_not_known(foreign),) if foreign else ())

        return await self._run(work)

    async def _run(self, work: Callable[[], ResultT]) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


def _part(notes: Notes, speakers: Mapping[str, str]) -> Part:
    sentences = tuple(
        Sentence(
            text=text,
            segment_ids=tuple(ids),
            score=score,
            speaker=speakers.get(speaker, ""),
        )
        for text, ids, score, speaker in notes["sentences"]
    )
    return Part(sentences=sentences, language=notes["language"])


def _not_known(languages: Sequence[str]) -> common.Warning:
    return result_warning(
        WarningReason.LANGUAGE_NOT_SUMMARIZED,
        f"The summary engine extractive supports only English and not {' or '.join(languages)}: "
        "for that it gives only central sentences and questions; use a language "
        "model for more.",
        metadata={"languages": ",".join(languages)},
    )


def rules_sha256() -> str:
    """The SHA-256 over the rules' data and code, in name order."""
    digest = hashlib.sha256()
    for entry in sorted(files(__package__).iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith((".py", ".toml")):
            digest.update(entry.read_bytes())
    digest.update((files("maie_summary") / "words.py").read_bytes())
    return digest.hexdigest()


@asynccontextmanager
async def create(settings: SummarySettings) -> AsyncIterator[ExtractiveEngine]:
    """Loads the engine."""
    with ThreadPoolExecutor(settings.slots, "summary-extractive") as executor:
        yield ExtractiveEngine(Finder(load_cues()), rules_sha256(), executor)
