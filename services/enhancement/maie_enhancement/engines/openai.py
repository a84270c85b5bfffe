"""The engine `openai`: a language model behind any OpenAI-compatible server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from maie_enhancement.llm.engine import LanguageModelEngine
from maie_enhancement.settings import EnhancementSettings
from maie_llm.openai import open_openai


@asynccontextmanager
async def create(settings: EnhancementSettings) -> AsyncIterator[LanguageModelEngine]:
    """Connects to the server and its model; raises the errors of `open_openai`."""
    async with open_openai(settings.openai, settings.generation) as model:
        yield LanguageModelEngine(model, settings)
