"""A language model whose answers a test writes, with a window that is as small as a test likes."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import asdict

from maie.common.v1 import types_pb2 as common
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_llm import Completion, Generation, Message, Prompt

TOKEN = re.compile(r"\s*\S{1,8}|\s+")
TOKENS_AROUND_A_MESSAGE = 4


def tokens_of(text: str) -> list[str]:
    """A text in tokens of up to eight characters."""
    return TOKEN.findall(text)


class ScriptedModel:
    """Answers by a function, token by token, and keeps to its window as real models do.

    Args:
        answer: The answer to a prompt; its `max_tokens` cuts it off.
        window: The most tokens of prompt and answer.
    """

    description = "A model that says what it is told to"
    vram_bytes = 0
    weights = None

    def __init__(self, answer: Callable[[Prompt], str], window: int = 4096) -> None:
        self.window = window
        self.prompts: list[Prompt] = []
        self.under_way = 0
        self.most_under_way = 0
        self._answer = answer

    def version(self, generation: Generation) -> common.EngineVersion:
        """The settings of the request and, after an answer, those that only an answer shows."""
        settings = asdict(generation) | ({"server_model": "scripted"} if self.prompts else {})
        parameters = {name: json.dumps(value) for name, value in settings.items()}
        return common.EngineVersion(engine="scripted", parameters=parameters)

    async def count(self, messages: Sequence[Message]) -> int:
        """The tokens of a prompt."""
        return sum(TOKENS_AROUND_A_MESSAGE + len(tokens_of(each.content)) for each in messages)

    async def generate(self, prompt: Prompt) -> AsyncGenerator[str | Completion, None]:
        """The answer, with a pause for others before each token."""
        size = await self.count(prompt.messages)
        room = self.window - size
        if room < (prompt.generation.max_tokens or 1):
            raise invalid(Reason.PROMPT_TOO_LONG, "The prompt is too long.")
        self.prompts.append(prompt)
        tokens = tokens_of(self._answer(prompt))
        most = prompt.generation.max_tokens or room
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            for token in tokens[:most]:
                await asyncio.sleep(0)
                yield token
        finally:
            self.under_way -= 1
        yield Completion(
            finish="stop" if len(tokens) <= most else "length",
            prompt_tokens=size,
            tokens=min(len(tokens), most),
        )
