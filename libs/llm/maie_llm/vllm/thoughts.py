"""Separates a model's reasoning from its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vllm.reasoning import ReasoningParserManager

from maie_core.errors import invalid
from maie_core.reasons import Reason


def find_parser(name: str) -> type[Any]:
    """A reasoning parser by vLLM's name.

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_NOT_SUPPORTED.
    """
    try:
        return ReasoningParserManager.get_reasoning_parser(name)
    except KeyError as error:
        known = ", ".join(ReasoningParserManager.list_registered())
        raise invalid(
            Reason.OPTION_NOT_SUPPORTED,
            f"vLLM has no reasoning parser {name!r}; set one of {known}.",
        ) from error


class Thoughts:
    """Removes the reasoning from one streamed answer.

    Args:
        parser: A fresh reasoning parser.
        prompt: The prompt's tokens: a template may begin or end the reasoning there.
    """

    def __init__(self, parser: Any, prompt: Sequence[int]) -> None:
        self._parser = parser
        self._text = ""
        self._tokens: list[int] = []
        self._ended = parser.is_reasoning_end(prompt)
        self._begun = False
        if not self._ended:
            parser.adjust_initial_state_from_prompt(prompt)

    def answer(self, text: str, tokens: Sequence[int]) -> str:
        """Returns the answer's part of the next piece of text.

        Args:
            text: The next piece.
            tokens: Its tokens.
        """
        if self._ended:
            return text
        before, seen = self._text, self._tokens
        self._text, self._tokens = before + text, [*seen, *tokens]
        delta = self._parser.extract_reasoning_streaming(
            before, self._text, text, seen, self._tokens, list(tokens)
        )
        return self._answer_text(delta)

    def rest(self) -> str:
        """Returns the text that was held back as a possible start of a mark."""
        finish = getattr(self._parser, "finish_streaming", None)
        if self._ended or finish is None:
            return ""
        return self._answer_text(finish())

    def _answer_text(self, delta: Any) -> str:
        text: str = (delta.content or "") if delta is not None else ""
        if not self._begun:
            # Templates put empty lines between reasoning and answer.
            text = text.lstrip()
            self._begun = bool(text)
        return text
