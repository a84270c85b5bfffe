"""A language model behind an OpenAI-compatible server."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2

from maie.common.v1 import types_pb2 as common
from maie_core.spans import Value
from maie_llm.generation import generation_parameters, log_generation, resolve_generation
from maie_llm.model import Completion, Generation, Message, Prompt
from maie_llm.openai.call_policy import CallPolicy
from maie_llm.openai.chunks import Chunk, Usage
from maie_llm.openai.errors import Unavailable, content_refused, prompt_too_long
from maie_llm.openai.request import chat_of, check_parameters, request_body
from maie_llm.openai.server import Server
from maie_llm.openai.settings import OpenAISettings
from maie_llm.tracing import Asked, traced

# The most tokens of a chat template around a message, such as "<|im_start|>assistant\n".
TOKENS_AROUND_A_MESSAGE = 16
FINISHES: dict[str, Literal["stop", "length"]] = {"stop": "stop", "length": "length"}

Piece = str | Completion


class OpenAIModel:
    """Answers chats with a server's chat completions; see `maie_llm.LanguageModel`.

    Args:
        server: The server; it has the model.
        settings: The server's features.
        environment: The generation settings of the service.
        window: The most tokens of prompt and answer.
        counts_tokens: Whether the server counts tokens.
        policy: Timeouts, retries and limits for the calls.
    """

    def __init__(
        self,
        server: Server,
        settings: OpenAISettings,
        environment: Generation,
        *,
        window: int,
        counts_tokens: bool,
        policy: CallPolicy,
    ) -> None:
        self.description = f"{settings.model} on {urlsplit(settings.base_url).netloc}"
        self.window = window
        self.vram_bytes = 0
        self.weights = None  # the server loads them
        self._server = server
        self._settings = settings
        self._environment = environment
        self._counts_tokens = counts_tokens
        self._policy = policy
        self._reported: dict[str, str] = {}
        self._asked = Asked(
            model=settings.model, provider="openai", server=_server_of(settings.base_url)
        )

    def version(self, generation: Generation) -> common.EngineVersion:
        """The parameters of requests, and those that the server reported in its last answer.

        `checkpoint_sha256` stays empty: servers do not report it.
        """
        settings = self._settings
        parameters = {
            "structured_output": settings.structured_output,
            "strict_schema": settings.strict_schema,
            "extra_body": settings.extra_body,
            **self._reported,
        }
        return common.EngineVersion(
            engine="openai",
            library=f"httpx2 {httpx2.__version__}",
            model_name=settings.model,
            device=settings.base_url,
            parameters={
                **generation_parameters(self._resolve(generation)),
                **{name: json.dumps(value) for name, value in parameters.items()},
            },
        )

    async def count(self, messages: Sequence[Message]) -> int:
        """The tokens of a prompt as the server counts them, or an upper bound.

        The bound is a token for each `bytes_per_token` bytes of UTF-8, since no
        tokenizer makes more tokens than bytes, and a few around each message.

        Raises:
            StageError: UNAVAILABLE with MODEL_UNAVAILABLE.
        """
        if not self._counts_tokens:
            return self._bound(messages)

        async def counted() -> int:
            with self._policy.calls.guarded():
                return await self._server.count(messages)

        return await self._policy.calls.retrying(counted)

    async def generate(self, prompt: Prompt) -> AsyncGenerator[str | Completion, None]:
        """Streams the answer: pieces of text, and at last how it ended.

        If the server reports no lengths, those of the completion are upper bounds.

        Raises:
            StageError: INVALID_ARGUMENT with OPTION_NOT_SUPPORTED,
                PROMPT_TOO_LONG or CONTENT_REFUSED; FAILED_PRECONDITION with
                MODEL_ACCESS_DENIED, MODEL_MISSING or MODEL_REQUEST_REFUSED;
                UNAVAILABLE with MODEL_UNAVAILABLE.
        """
        async with aclosing(traced(self._answer(prompt), self._asked)) as answer:
            async for piece in answer:
                yield piece

    async def _answer(self, prompt: Prompt) -> AsyncGenerator[str | Completion, None]:
        check_parameters(prompt.generation, self._settings)
        generation = self._resolve(prompt.generation)
        log_generation(generation)
        await self._check_length(prompt.messages, generation)
        body = request_body(prompt, generation, self._settings)

        async def begun() -> tuple[Piece, AsyncGenerator[Piece, None], AsyncExitStack]:
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(self._policy.slot(prompt.heartbeat))
                rest = await stack.enter_async_context(aclosing(self._pieces(prompt, body)))
                with self._policy.calls.guarded():
                    return await anext(rest), rest, stack.pop_all()

        first, rest, call = await self._policy.calls.retrying(begun)
        async with call:
            yield first
            try:
                async for piece in rest:
                    yield piece
            except Unavailable:
                self._policy.calls.record_failure()
                raise

    async def _pieces(self, prompt: Prompt, body: Mapping[str, Any]) -> AsyncGenerator[Piece, None]:
        """One attempt at an answer."""
        finish, usage, size = "", None, 0
        async with (
            aclosing(self._server.answer(body)) as chunks,
            aclosing(self._policy.with_timeouts(chunks, prompt.heartbeat)) as timely,
        ):
            async for chunk in timely:
                self._note(chunk)
                usage = chunk.usage or usage
                for choice in chunk.choices[:1]:
                    if choice.delta.refusal:
                        raise content_refused()
                    if choice.delta.content:
                        size += len(choice.delta.content.encode())
                        yield choice.delta.content
                    finish = choice.finish_reason or finish
        usage = usage or Usage(prompt_tokens=self._bound(prompt.messages), completion_tokens=size)
        yield Completion(
            finish=_finish(finish),
            prompt_tokens=usage.prompt_tokens,
            tokens=usage.completion_tokens,
        )

    async def _check_length(self, messages: Sequence[Message], generation: Generation) -> None:
        tokens = await self.count(messages)
        answer = generation.max_tokens or 1
        if tokens + answer > self.window:
            most = "" if self._counts_tokens else "up to "
            raise prompt_too_long(
                f"The prompt of {most}{tokens} tokens with an answer of up to {answer}"
            )

    def _resolve(self, request: Generation) -> Generation:
        takes_seed = "seed" in self._settings.parameters
        return resolve_generation(
            request=request,
            environment=self._environment,
            # The server has its own defaults; the seed makes answers reproducible.
            library=Generation(seed=0 if takes_seed else None),
        )

    def _bound(self, messages: Sequence[Message]) -> int:
        text = sum(len(message["content"].encode()) for message in chat_of(messages))
        around = TOKENS_AROUND_A_MESSAGE * (len(messages) + 1)
        return math.ceil(text / self._settings.bytes_per_token) + around

    def _note(self, chunk: Chunk) -> None:
        """Keeps the parameters that the server reports."""
        if chunk.model:
            self._reported["server_model"] = chunk.model
        if chunk.system_fingerprint:
            self._reported["system_fingerprint"] = chunk.system_fingerprint


def _finish(reason: str) -> Literal["stop", "length"]:
    if reason == "content_filter":
        raise content_refused()
    if reason not in FINISHES:
        raise Unavailable("broke off its answer")
    return FINISHES[reason]


def _server_of(url: str) -> dict[str, Value]:
    """A server's address, as spans have it; the URL may hold more than others may see."""
    parsed = urlsplit(url)
    port: dict[str, Value] = {"server.port": parsed.port} if parsed.port else {}
    return {"server.address": parsed.hostname or "", **port}
