"""Fills a template from any number of lines, without leaving any out.

Lines that fit into the model's window with room for the answer need one call.
More lines are divided into groups that fit; the model fills the template for each
group, and merges the answers in as many levels as needed. Line numbers are those
of the whole recording throughout.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_llm import Generation, LanguageModel, Message
from maie_summary.llm import prompt
from maie_summary.llm.answers import Answer, lines_cited
from maie_summary.llm.asking import TOKENS_OF_A_PROBLEM, Asking, CutOff, max_tokens, summary_invalid
from maie_summary.llm.lines import Lines, halves
from maie_summary.llm.support import Support
from maie_templates import Template

Chat = Sequence[Message]

# Two answers and their merged one share the window.
SHARES = 3
LEAST_ANSWER_TOKENS = 64


class Reduction:
    """The computation of one summary.

    Args:
        model: The model.
        template: The template.
        language_code: As a BCP-47 tag; empty if unknown.
        generation: The request's generation parameters.
        support: Checks answers against the lines.
        heartbeat: Called at each heartbeat of the model.
        answer_tokens: The room for an answer, if the window is large
            enough.
        calls_at_once: The most concurrent calls.
        takes_max_tokens: Whether the model accepts a limit on an answer's length.
    """

    def __init__(
        self,
        model: LanguageModel,
        template: Template,
        language_code: str,
        generation: Generation,
        support: Support,
        heartbeat: Callable[[], None],
        *,
        answer_tokens: int,
        calls_at_once: int,
        takes_max_tokens: bool,
    ) -> None:
        self._model = model
        self._template = template
        self._language_code = language_code
        self._generation = generation
        self._answer_tokens = answer_tokens
        calls = asyncio.Semaphore(calls_at_once)
        self._asking = Asking(model, template, generation, calls, support, heartbeat)
        self._takes_max_tokens = takes_max_tokens

    async def fill(self, lines: Lines) -> Answer:
        """Fills the template with citations from at least one line.

        Raises:
            StageError: FAILED_PRECONDITION with WINDOW_TOO_SMALL, INTERNAL
                with SUMMARY_INVALID; others as the model raises them.
        """
        await self._measure()
        groups = await self._groups(lines)
        return await self._merge(await _together([self._fill(*group) for group in groups]))

    async def _measure(self) -> None:
        """Measures the room that the prompt leaves, and divides it."""
        bare = await prompt.merge_messages(self._template, [], self._language_code)
        room = self._model.window - await self._model.count(bare) - TOKENS_OF_A_PROBLEM
        longest = max_tokens(self._model, self._generation) or room
        self._answer_tokens = min(self._answer_tokens, room // SHARES, longest)
        if room // SHARES < LEAST_ANSWER_TOKENS:
            raise self._window_too_small("the template and an answer")

    async def _groups(self, lines: Lines) -> list[tuple[Lines, Chat]]:
        """Lines in groups that fit, with the prompt for each."""
        if (chat := await self._fitting(lines)) is not None:
            return [(lines, chat)]
        parts = halves(lines)
        if parts is None:
            raise self._window_too_small("the template and a line")
        return [group for part in parts for group in await self._groups(part)]

    async def _fitting(self, lines: Lines) -> Chat | None:
        # Rendering needs a process; a text that is far too long is rejected without it.
        if not await self._has_room(prompt.numbered(lines)):
            return None
        chat = await prompt.messages(self._template, lines, self._language_code)
        return chat if await self._leaves_room(chat) else None

    async def _has_room(self, text: str) -> bool:
        tokens = await self._model.count([Message(role="user", content=text)])
        return tokens + self._answer_tokens <= self._model.window

    async def _leaves_room(self, chat: Chat) -> bool:
        needed = self._answer_tokens + TOKENS_OF_A_PROBLEM
        return await self._model.count(chat) + needed <= self._model.window

    async def _fill(self, lines: Lines, chat: Chat) -> Answer:
        """Fills the template from lines that fit; in halves if the answer does not fit."""
        try:
            return await self._ask(chat, {line.number for line in lines})
        except CutOff:
            parts = halves(lines) if len(lines) > 1 else None
            if parts is None:
                raise self._too_long() from None
        groups = [group for part in parts for group in await self._groups(part)]
        return await self._merge(await _together([self._fill(*group) for group in groups]))

    async def _merge(self, answers: Sequence[Answer]) -> Answer:
        while len(answers) > 1:
            groups = await self._mergeable(answers)
            if len(groups) == len(answers):
                raise self._window_too_small("the answers for two parts of the recording")
            answers = await _together([self._merged(group) for group in groups])
        return answers[0]

    async def _mergeable(self, answers: Sequence[Answer]) -> list[list[Answer]]:
        """Consecutive answers in the largest groups that fit."""
        groups: list[list[Answer]] = [[]]
        for answer in answers:
            if groups[-1] and not await self._fit_together([*groups[-1], answer]):
                groups.append([])
            groups[-1].append(answer)
        return groups

    async def _fit_together(self, answers: Sequence[Answer]) -> bool:
        if not await self._has_room("\n".join(json.dumps(each) for each in answers)):
            return False
        chat = await prompt.merge_messages(self._template, answers, self._language_code)
        return await self._leaves_room(chat)

    async def _merged(self, answers: Sequence[Answer]) -> Answer:
        """Merges answers into one, which cites only lines that they cite."""
        if len(answers) == 1:
            return answers[0]
        numbers = {each for answer in answers for each in lines_cited(self._template, answer)}
        chat = await prompt.merge_messages(self._template, answers, self._language_code)
        try:
            # Empty answers cite nothing, and neither can their merged one.
            return await self._ask(chat, numbers) if numbers else answers[0]
        except CutOff:
            raise self._too_long() from None

    async def _ask(self, chat: Chat, numbers: Collection[int]) -> Answer:
        budget = self._answer_tokens if self._takes_max_tokens else None
        return await self._asking.ask(chat, numbers, budget)

    def _too_long(self) -> StageError:
        return summary_invalid(self._template, "its answer does not fit into its window")

    def _window_too_small(self, what: str) -> StageError:
        return StageError(
            Code.FAILED_PRECONDITION,
            Reason.WINDOW_TOO_SMALL,
            f"The language model's window of {self._model.window} tokens has no room for {what} "
            f"({self._template.template_id}); use a larger window or a shorter template.",
        )


async def _together(jobs: Sequence[Coroutine[Any, Any, Answer]]) -> list[Answer]:
    """All results in order; the first failure cancels the others."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
