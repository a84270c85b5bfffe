"""Turns chats into tokens."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from jinja2 import TemplateError

from maie_core.errors import StageError
from maie_core.models import model_corrupt
from maie_llm.checkpoint import Checkpoint
from maie_llm.model import Message

# Breaks up marks in the text; invisible.
BREAK = "\u200b"
# Takes about 2 ms; a thread would take longer to get the interpreter's lock.
AT_ONCE_CHARACTERS = 8000
# Marks of templates around messages and reasoning, such as <|im_end|>, </think> and [INST].
MARK = re.compile(r"<\S+>|\[\S+\]")
NEVER = re.compile(r"(?!)")


class ChatTokenizer:
    """Tokenises prompts with the model's chat template.

    Args:
        tokenizer: The model's tokenizer, from the transformers library.
        checkpoint: The model with the template.
        thinking: Whether the template enables reasoning.
    """

    def __init__(self, tokenizer: Any, checkpoint: Checkpoint, *, thinking: bool) -> None:
        self._tokenizer = tokenizer
        self._template = checkpoint.chat_template
        self._path = checkpoint.path
        self._thinking = thinking
        self._executor = ThreadPoolExecutor(1, "tokenizer")
        self._marks = _marks(tokenizer)

    async def tokens(self, messages: Sequence[Message]) -> list[int]:
        """The tokens of a prompt.

        Raises:
            StageError: FAILED_PRECONDITION with MODEL_CORRUPT if the template is invalid.
        """
        if sum(len(message.content) for message in messages) <= AT_ONCE_CHARACTERS:
            return self._tokens(messages)
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, self._tokens, messages
        )

    def close(self) -> None:
        """Ends the thread."""
        self._executor.shutdown(wait=False)

    def _tokens(self, messages: Sequence[Message]) -> list[int]:
        chat = [
            {"role": message.role, "content": self._harmless(message.content)}
            for message in messages
        ]
        try:
            tokens: list[int] = self._tokenizer.apply_chat_template(
                chat,
                chat_template=self._template,
                add_generation_prompt=True,
                enable_thinking=self._thinking,
                tokenize=True,
                return_dict=False,
            )
        except TemplateError as error:
            raise self._unusable(error) from error
        return tokens

    def _harmless(self, content: str) -> str:
        """Text without marks, which cannot end its own message."""
        return self._marks.sub(lambda found: found[0][0] + BREAK + found[0][1:], content)

    def _unusable(self, error: Exception) -> StageError:
        return model_corrupt(
            f"The chat template of the model in {self._path} cannot be used: {error}; "
            "use another one."
        )


def _marks(tokenizer: Any) -> re.Pattern[str]:
    """All texts that the tokenizer parses as marks: special tokens and similar ones."""
    added = tokenizer.added_tokens_decoder.values()
    marks = {str(token) for token in added if token.special or MARK.fullmatch(str(token))}
    longest_first = sorted(marks, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))) if marks else NEVER
