"""Spans of language models' answers, by OpenTelemetry's conventions for generative AI.

The names are those of the conventions' version 1.37, which later ones renamed in part. They hold
no prompt and no answer.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from opentelemetry.trace import SpanKind

from maie_core.spans import Value
from maie_llm.model import Completion
from maie_runtime.worker.engine_calls import engine_call


@dataclass(kw_only=True, frozen=True, slots=True)
class Asked:
    """The model that is asked.

    Attributes:
        model: Its name.
        provider: The back end, such as "vllm".
        server: Where it is, by the conventions; empty where it is in this process.
    """

    model: str
    provider: str
    server: dict[str, Value] = field(default_factory=dict)


async def traced(
    answer: AsyncGenerator[str | Completion, None], asked: Asked
) -> AsyncGenerator[str | Completion, None]:
    """An answer within a span, which has how many tokens it took. Its time is the engine's."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": asked.provider,
        "gen_ai.request.model": asked.model,
        **asked.server,
    }
    kind = SpanKind.CLIENT if asked.server else SpanKind.INTERNAL
    with engine_call(f"chat {asked.model}", attributes, kind=kind) as span:
        async with aclosing(answer) as pieces:
            async for piece in pieces:
                if isinstance(piece, Completion):
                    span.set_attribute("gen_ai.usage.input_tokens", piece.prompt_tokens)
                    span.set_attribute("gen_ai.usage.output_tokens", piece.tokens)
                    span.set_attribute("gen_ai.response.finish_reasons", (piece.finish,))
                yield piece
