"""Summaries by any language model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

from maie.common.v1 import types_pb2 as common
from maie_llm import Generation, LanguageModel
from maie_runtime.gpu.loadable import Loadable
from maie_runtime.worker.stage import Batching, batching_of, ignore_heartbeat
from maie_summary.engine import NOBODY, Draft, Notes, Segment, Source
from maie_summary.engines.extractive.fill import Filler
from maie_summary.llm import prompt
from maie_summary.llm.cited import uncited
from maie_summary.llm.lines import notes_of, read_notes
from maie_summary.llm.reduce import Reduction
from maie_summary.llm.support import Support
from maie_summary.settings import SummarySettings
from maie_templates import Template


class LanguageModelEngine:
    """Fills templates from numbered lines with a model, which cites the lines it used.

    Args:
        model: The model.
        settings: The room for an answer, and the most concurrent calls.
        takes_max_tokens: Whether the model accepts a limit on an answer's length.
    """

    capabilities = ("generative", "map_reduce")
    language_codes = ()

    def __init__(
        self, model: LanguageModel, settings: SummarySettings, *, takes_max_tokens: bool = True
    ) -> None:
        self.description = f"{model.description}; every item cites lines."
        self._model = model
        self._settings = settings
        self._takes_max_tokens = takes_max_tokens

    @property
    def weights(self) -> Loadable | None:
        """The model, if it can be unloaded."""
        return self._model.weights

    @property
    def batching(self) -> Batching:
        """The batches of the model."""
        return batching_of(self._model)

    def version(self, generation: Generation) -> common.EngineVersion:
        """The model with its generation and the prompts beyond the template."""
        version = self._model.version(generation)
        own = {
            "prompt_sha256": hashlib.sha256(
                (prompt.MERGE + prompt.EXAMPLE + prompt.SPEAKERS + prompt.AGAIN).encode()
            ).hexdigest(),
            "answer_tokens": self._settings.answer_tokens,
        }
        version.parameters.update({name: json.dumps(value) for name, value in own.items()})
        return version

    async def map(
        self, segments: Sequence[Segment], template: Template, language_code: str
    ) -> Notes:
        """The lines unchanged: whether they fit is known only with all of them."""
        return notes_of(segments, language_code)

    async def reduce(
        self,
        notes: Sequence[Notes],
        template: Template,
        generation: Generation,
        heartbeat: Callable[[], None] = ignore_heartbeat,
        speakers: Mapping[str, str] = NOBODY,
    ) -> Draft:
        """The filled template.

        Raises:
            StageError: FAILED_PRECONDITION with WINDOW_TOO_SMALL, INTERNAL
                with SUMMARY_INVALID; others as the model raises them.
        """
        lines, segment_ids, language_code = read_notes(notes, speakers)
        if not lines:
            # From no text a model would only invent something.
            return Filler(template.schema, {}).fill()
        reduction = Reduction(
            self._model,
            template,
            language_code,
            generation,
            Support(template, lines, language_code),
            heartbeat,
            answer_tokens=self._settings.answer_tokens,
            calls_at_once=self._settings.calls_at_once,
            takes_max_tokens=self._takes_max_tokens,
        )
        content, citations = uncited(template.schema, await reduction.fill(lines))
        sources = tuple(
            Source(
                pointer=citation.pointer,
                segment_ids=tuple(segment_ids[number] for number in citation.lines),
            )
            for citation in citations
        )
        return Draft(content=content, sources=sources)
