"""The engine `vllm`: a language model in the service itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from maie_llm.vllm import open_vllm
from maie_summary.llm.engine import LanguageModelEngine
from maie_summary.settings import SummarySettings


@asynccontextmanager
async def create(settings: SummarySettings) -> AsyncIterator[LanguageModelEngine]:
    """Verifies and loads the model; raises the errors of `open_vllm`."""
    async with open_vllm(settings.vllm, settings.generation) as model:
        yield LanguageModelEngine(model, settings)
