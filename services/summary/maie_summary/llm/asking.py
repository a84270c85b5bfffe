"""Asks a model until its answer can be used."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import replace

import structlog

from maie_llm import Completion, Generation, LanguageModel, Message, Prompt
from maie_runtime.errors import Code, StageError
from maie_runtime.reasons import Reason
from maie_summary.llm.answers import Answer, Unusable, read_answer
from maie_summary.llm.cited import cited_schema
from maie_summary.llm.prompt import again
from maie_summary.llm.support import Support
from maie_templates import Template

log = structlog.get_logger()

RETRIES = 2
"""How often a model is asked again."""
# What is wrong with the last answer is said in so many tokens.
TOKENS_OF_A_PROBLEM = 128


class CutOff(Exception):
    """No answer fits into the room that its prompt leaves."""


class Asking:
    """One summary's questions to a model.

    Args:
        model: The model.
        template: What it is to fill.
        generation: What the request sets.
        calls: Taken for the time of a call.
        support: What was said.
        alive: Called at each sign of life of the model.
    """

    def __init__(
        self,
        model: LanguageModel,
        template: Template,
        generation: Generation,
        calls: asyncio.Semaphore,
        support: Support,
        alive: Callable[[], None],
    ) -> None:
        self._model = model
        self._template = template
        self._generation = generation
        self._calls = calls
        self._support = support
        self._alive = alive
        self._max_tokens = max_tokens(model, generation)

    async def ask(
        self, chat: Sequence[Message], numbers: Collection[int], answer_tokens: int | None
    ) -> Answer:
        """An answer that fits the cited schema, and cites only these lines for what they say.

        Args:
            chat: What is asked.
            numbers: The lines that may be cited.
            answer_tokens: The longest first answer; None where the model
                cannot be told how long one may be.

        Raises:
            CutOff: Its last try was still too long.
            StageError: INTERNAL with SUMMARY_INVALID where no try could be
                used; what the model raises.
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
                    # Many words are compared, and a list of languages may be read.
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
            alive=self._alive,
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
    """The longest answer, by the uppermost layer that says it; None where none does."""
    told: int | None = json.loads(model.version(generation).parameters.get("max_tokens", "null"))
    return told


def summary_invalid(template: Template, problem: str) -> StageError:
    """No answer could be used."""
    return StageError(
        Code.INTERNAL,
        Reason.SUMMARY_INVALID,
        f"The language model could not fill the template {template.template_id}: {problem}; "
        "use another template or model.",
    )
