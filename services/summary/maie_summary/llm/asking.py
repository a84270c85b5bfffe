"""Asks a model until its answer is usable."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import replace

import structlog

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_llm import Completion, Generation, LanguageModel, Message, Prompt
from maie_summary.llm.answers import Answer, Unusable, read_answer
from maie_summary.llm.cited import cited_schema
from maie_summary.llm.prompt import again
from maie_summary.llm.support import Support
from maie_templates import Template

log = structlog.get_logger()

RETRIES = 2
"""The most retries."""
# The room for the problem of the last answer, in tokens.
TOKENS_OF_A_PROBLEM = 128


class CutOff(Exception):
    """The answer does not fit into the room that its prompt leaves."""


class Asking:
    """The calls of a model for one summary.

    Args:
        model: The model.
        template: The template.
        generation: The request's generation parameters.
        calls: Held during a call.
        support: Checks answers against the lines.
        heartbeat: Called at each heartbeat of the model.
    """

    def __init__(
        self,
        model: LanguageModel,
        template: Template,
        generation: Generation,
        calls: asyncio.Semaphore,
        support: Support,
        heartbeat: Callable[[], None],
    ) -> None:
        self._model = model
        self._template = template
        self._generation = generation
        self._calls = calls
        self._support = support
        self._heartbeat = heartbeat
        self._max_tokens = max_tokens(model, generation)

    async def ask(
        self, chat: Sequence[Message], numbers: Collection[int], answer_tokens: int | None
    ) -> Answer:
        """Gets an answer that is valid against the cited schema and supported by these lines.

        Args:
            chat: The prompt.
            numbers: The lines that may be cited.
            answer_tokens: The longest first answer; None if the model accepts
                no limit.

        Raises:
            CutOff: The last attempt was still too long.
            StageError: INTERNAL with SUMMARY_INVALID if no attempt was usable;
                others as the model raises them.
        """
        asked, budget, cut_off, problem = chat, answer_tokens, False, ""
        for _ in range(RETRIES + 1):
            text, ended = await self._answer(asked, budget, numbers)
            cut_off = ended.finish == "length"
            if cut_off:
                problem = f"it was cut off after {ended.tokens} tokens"
                budget = budget and self._model.window
            else:
                try:
                    # Compares many words, and may load a list of languages.
                    return await asyncio.to_thread(
                        read_answer, text, self._template, numbers, self._support
                    )
                except Unusable as error:
                    problem = str(error)
            log.info("summary.answer_unusable", problem=problem)
            asked = again(chat, problem)
        if cut_off:
            raise CutOff
        raise summary_invalid(self._template, problem)

    async def _answer(
        self, chat: Sequence[Message], budget: int | None, numbers: Collection[int]
    ) -> tuple[str, Completion]:
        generation = self._generation
        if budget is not None:
            room = self._model.window - await self._model.count(chat)
            most = min(budget, room, self._max_tokens or room)
            generation = replace(generation, max_tokens=max(most, 1))
        prompt = Prompt(
            messages=chat,
            schema=cited_schema(self._template.schema, min(numbers), max(numbers)),
            generation=generation,
            heartbeat=self._heartbeat,
        )
        ended = Completion(finish="length", prompt_tokens=0, tokens=0)
        text: list[str] = []
        async with self._calls, aclosing(self._model.generate(prompt)) as bits:
            async for bit in bits:
                if isinstance(bit, Completion):
                    ended = bit
                else:
                    text.append(bit)
        return "".join(text), ended


def max_tokens(model: LanguageModel, generation: Generation) -> int | None:
    """The limit on answers, from the highest layer that sets one; None without one."""
    limit: int | None = json.loads(model.version(generation).parameters.get("max_tokens", "null"))
    return limit


def summary_invalid(template: Template, problem: str) -> StageError:
    """The error after the last unusable answer."""
    return StageError(
        Code.INTERNAL,
        Reason.SUMMARY_INVALID,
        f"The language model could not fill the template {template.template_id}: {problem}; "
        "use another template or model.",
    )
