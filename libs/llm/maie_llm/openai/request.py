"""The requests to a server."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_llm.generation import NAMES
from maie_llm.model import Generation, Message, Prompt
from maie_llm.openai.settings import OpenAISettings

SCHEMA_NAME = "answer"
# The marks that end and begin messages in the chat templates of Qwen, Llama, GPT, Phi,
# DeepSeek, Mistral and Gemma. A server does not report its model's, and may parse them in any text.
TURN_MARKS = re.compile(
    r"<[|｜][^<>|｜\s]{1,64}[|｜]>|</?s>|\[/?(?:INST|SYSTEM_PROMPT)\]|<(?:start|end)_of_turn>"
)
# Breaks up marks in the text; invisible.
BREAK = "\u200b"


def check_parameters(generation: Generation, settings: OpenAISettings) -> None:
    """Refuses parameters that the server does not accept, which it might silently ignore.

    Args:
        generation: The parameters to check.
        settings: The parameters that the server accepts.

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_NOT_SUPPORTED.
    """
    for name in NAMES:
        if getattr(generation, name) is not None and name not in settings.parameters:
            raise _not_supported(name)


def chat_of(messages: Sequence[Message]) -> list[dict[str, str]]:
    """A chat for a server, whose text cannot end its own message."""
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
        generation: The resolved parameters; None leaves a value to the server.
        settings: The server's features.
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
        f"The language model's server does not accept `{name}`; leave it unset, or add it to the "
        "service's setting PARAMETERS if the server does.",
        field=f"generation.{name}",
    )
