"""The engine `openai`: a language model behind any OpenAI-compatible server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from maie_llm.openai import open_openai
from maie_summary.llm.engine import LanguageModelEngine
from maie_summary.settings import SummarySettings


@asynccontextmanager
async def create(settings: SummarySettings) -> AsyncIterator[LanguageModelEngine]:
    """Connects to the server and its model; raises the errors of `open_openai`."""
    async with open_openai(settings.openai, settings.generation) as model:
        takes_max_tokens = "max_tokens" in settings.openai.parameters
        yield LanguageModelEngine(model, settings, takes_max_tokens=takes_max_tokens)
