"""What a server is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from maie_llm.generation import NAMES
from maie_llm.model import Generation, Message, Prompt
from maie_llm.openai.settings import OpenAISettings
from maie_runtime.errors import StageError, invalid
from maie_runtime.reasons import Reason

SCHEMA_NAME = "answer"
# The marks that end turns and begin others in the chat templates of Qwen, Llama, GPT, Phi,
# DeepSeek, Mistral and Gemma. A server does not say its model's, and may read them in any text.
TURN_MARKS = re.compile(
    r"<[|｜][^<>|｜\s]{1,64}[|｜]>|</?s>|\[/?(?:INST|SYSTEM_PROMPT)\]|<(?:start|end)_of_turn>"
)
# Comes between the characters of a mark that somebody wrote; reads as nothing.
BREAK = "\u200b"


def check_parameters(generation: Generation, settings: OpenAISettings) -> None:
    """Refuses what the server does not take, which it might leave out without a word.

    Args:
        generation: What somebody set.
        settings: What the server takes.

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_NOT_SUPPORTED.
    """
    for name in NAMES:
        if getattr(generation, name) is not None and name not in settings.parameters:
            raise _not_supported(name)


def chat_of(messages: Sequence[Message]) -> list[dict[str, str]]:
    """A chat as servers take it, whose text cannot end its turn, whatever it says."""
    return [
        {"role": message.role, "content": TURN_MARKS.sub(_broken, message.content)}
        for message in messages
    ]


def request_body(
    prompt: Prompt, generation: Generation, settings: OpenAISettings
) -> dict[str, Any]:
    """The body of a request for chat completions.

    Args:
        prompt: The chat and the schema.
        generation: The resolved settings; what is None is left to the server.
        settings: What the server knows.
    """
    body: dict[str, Any] = {
        **settings.extra_body,
        "model": settings.model,
        "messages": chat_of(prompt.messages),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    for name in settings.parameters:
        if (value := getattr(generation, name)) is not None:
            body[settings.max_tokens_field if name == "max_tokens" else name] = value
    if prompt.schema is not None and settings.structured_output != "none":
        body["response_format"] = _response_format(prompt.schema, settings)
    return body


def _broken(mark: re.Match[str]) -> str:
    return mark[0][0] + BREAK + mark[0][1:]


def _response_format(schema: Mapping[str, Any], settings: OpenAISettings) -> dict[str, Any]:
    if settings.structured_output == "json_object":
        return {"type": "json_object"}
    asked = {"name": SCHEMA_NAME, "strict": settings.strict_schema, "schema": schema}
    return {"type": "json_schema", "json_schema": asked}


def _not_supported(name: str) -> StageError:
    return invalid(
        Reason.OPTION_NOT_SUPPORTED,
        f"The language model's server does not take `{name}`; leave it unset, or have the service "
        "told that the server does.",
        field=f"generation.{name}",
    )
