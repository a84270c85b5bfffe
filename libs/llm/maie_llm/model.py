"""What a language model is, in plain Python types."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from maie.common.v1 import types_pb2 as common
from maie_runtime.loadable import Loadable
from maie_runtime.stage import unheard


@dataclass(kw_only=True, frozen=True, slots=True)
class Message:
    """One turn of a chat; the model's chat template makes tokens of it."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(kw_only=True, frozen=True, slots=True)
class Generation:
    """How a model draws its words; None leaves it to the next layer of `generation`.

    Attributes:
        temperature: 0 takes the likeliest word each time.
        top_p: The share of the probability that is drawn from, above 0 to 1.
        top_k: How many words are drawn from; 0 for all.
        min_p: The least probability, relative to the likeliest word's, 0 to 1.
        repetition_penalty: Above 1, words that were there become less likely.
        presence_penalty: The same by subtraction, -2 to 2.
        frequency_penalty: The same for each time a word was there, -2 to 2.
        seed: The same seed draws the same words again.
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
    """What a model is asked.

    Attributes:
        messages: The chat so far; the model writes what comes next.
        schema: A JSON Schema that the answer must fit; None for free text.
        generation: What the request sets, the uppermost layer.
        alive: Called at each sign that the model works: a word, a thought, or one of another
            prompt that this one waits for.
    """

    messages: Sequence[Message]
    schema: Mapping[str, Any] | None = None
    generation: Generation = Generation()
    alive: Callable[[], None] = field(default=unheard, compare=False)


@dataclass(kw_only=True, frozen=True, slots=True)
class Completion:
    """How an answer ended; the last thing that `generate` gives.

    Attributes:
        finish: "stop" where the model ended by itself, "length" where it was cut off.
        prompt_tokens: The length of the prompt.
        tokens: The length of the answer.
    """

    finish: Literal["stop", "length"]
    prompt_tokens: int
    tokens: int


class LanguageModel(Protocol):
    """Answers chats. Many requests may run at once; the model batches them.

    Attributes:
        description: What the model is, in one sentence.
        window: The most tokens that prompt and answer may have together.
        vram_bytes: The memory that it takes on a GPU; 0 on a CPU or another machine.
    """

    description: str
    window: int
    vram_bytes: int

    @property
    def weights(self) -> Loadable | None:
        """The model, where it can be unloaded to share a GPU; None where not, or without one."""
        ...

    def version(self, generation: Generation) -> common.EngineVersion:
        """The exact software, weights and settings that answer a prompt of this generation.

        Its `engine` is the back end's name. Its `parameters` hold the resolved
        generation settings, and quantisation, chat template (by hash), thinking
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
        """Answers: the text bit by bit, and at last how it ended.

        Closing or cancelling the iteration frees the sequence and leaves the
        model usable.

        Raises:
            StageError: INVALID_ARGUMENT with PROMPT_TOO_LONG where prompt and
                `max_tokens` do not fit the window (nothing is ever clipped);
                UNAVAILABLE with MODEL_UNAVAILABLE where the model or its server
                is gone for now; RESOURCE_EXHAUSTED with OUT_OF_MEMORY.
        """
        ...
