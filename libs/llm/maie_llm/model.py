"""The interface of a language model, in plain Python types."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from maie.common.v1 import types_pb2 as common
from maie_runtime.gpu.loadable import Loadable
from maie_runtime.worker.stage import ignore_heartbeat


@dataclass(kw_only=True, frozen=True, slots=True)
class Message:
    """One message of a chat, tokenised by the model's chat template."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(kw_only=True, frozen=True, slots=True)
class Generation:
    """Sampling parameters; None leaves a value to the next layer of `generation`.

    Attributes:
        temperature: 0 is greedy decoding.
        top_p: The share of the probability mass to sample from, above 0 to 1.
        top_k: The number of tokens to sample from; 0 for all.
        min_p: The least probability, relative to the most likely token's, 0 to 1.
        repetition_penalty: Above 1, earlier tokens become less likely.
        presence_penalty: Subtracted for earlier tokens, -2 to 2.
        frequency_penalty: Subtracted for each earlier occurrence of a token, -2 to 2.
        seed: The random seed.
        max_tokens: The longest answer.
    """

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    max_tokens: int | None = None


@dataclass(kw_only=True, frozen=True, slots=True)
class Prompt:
    """A prompt for a model.

    Attributes:
        messages: The chat so far; the model writes the next message.
        schema: A JSON Schema for the answer; None for free text.
        generation: The request's parameters, the highest layer.
        heartbeat: Called at each heartbeat of the model: a token of the answer or its reasoning, or
            a token for another prompt that this one waits for.
    """

    messages: Sequence[Message]
    schema: Mapping[str, Any] | None = None
    generation: Generation = Generation()
    heartbeat: Callable[[], None] = field(default=ignore_heartbeat, compare=False)


@dataclass(kw_only=True, frozen=True, slots=True)
class Completion:
    """The end of an answer; the last item of `generate`.

    Attributes:
        finish: "stop" if the model ended by itself, "length" if it was cut off.
        prompt_tokens: The length of the prompt.
        tokens: The length of the answer.
    """

    finish: Literal["stop", "length"]
    prompt_tokens: int
    tokens: int


class LanguageModel(Protocol):
    """Answers chats. Many requests may run concurrently; the model batches them.

    Attributes:
        description: The model, in one sentence.
        window: The context window: the most tokens of prompt and answer together.
        vram_bytes: Its GPU memory; 0 on a CPU or another machine.
    """

    description: str
    window: int
    vram_bytes: int

    @property
    def weights(self) -> Loadable | None:
        """The model, if it can be unloaded to share a GPU; else None."""
        ...

    def version(self, generation: Generation) -> common.EngineVersion:
        """The exact software, weights and parameters for prompts with this generation.

        Its `engine` is the back end's name. Its `parameters` hold the resolved
        generation parameters, and quantisation, chat template (by hash), thinking
        flag, reasoning parser and structured-output mode as far as they are
        known.
        """
        ...

    async def count(self, messages: Sequence[Message]) -> int:
        """The tokens of a prompt, chat template included.

        A back end without a tokenizer gives an upper bound.
        """
        ...

    def generate(self, prompt: Prompt) -> AsyncGenerator[str | Completion, None]:
        """Streams the answer: pieces of text, and at last how it ended.

        Closing or cancelling the iteration frees the sequence; the model stays
        usable.

        Raises:
            StageError: INVALID_ARGUMENT with PROMPT_TOO_LONG if prompt and
                `max_tokens` do not fit the window (nothing is ever truncated);
                UNAVAILABLE with MODEL_UNAVAILABLE if the model or its server
                is unavailable for now; RESOURCE_EXHAUSTED with OUT_OF_MEMORY.
        """
        ...
