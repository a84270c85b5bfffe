"""Language models on servers of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from maie_llm import Completion, LanguageModel, Message, Prompt
from maie_llm.openai import OpenAISettings, open_openai
from maie_llm.settings import GenerationSettings
from tests.llm.openai_server import MODEL, OpenAIServer

HELLO = Prompt(messages=[Message(role="user", content="Say hello.")])
# Faults are tried again at once, and not for long.
QUICK: dict[str, Any] = {"model": MODEL, "window": 4096, "retry_seconds": 0.0}


@asynccontextmanager
async def model_on(
    server: OpenAIServer, generation: GenerationSettings | None = None, **settings: Any
) -> AsyncIterator[LanguageModel]:
    """A model on a server that is started for it."""
    async with server.running():
        asked = OpenAISettings(base_url=server.url, **{**QUICK, **settings})
        async with open_openai(asked, generation or GenerationSettings()) as model:
            yield model


async def answered(model: LanguageModel, prompt: Prompt = HELLO) -> tuple[str, Completion]:
    """An answer as a whole."""
    *texts, completion = [piece async for piece in model.generate(prompt)]
    assert isinstance(completion, Completion)
    assert all(isinstance(text, str) for text in texts)
    return "".join(map(str, texts)), completion
