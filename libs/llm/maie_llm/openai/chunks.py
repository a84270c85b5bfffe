"""What a server sends, as far as it is read."""

from __future__ import annotations

from pydantic import BaseModel


class Delta(BaseModel):
    """What an answer goes on with.

    Attributes:
        content: More of the answer.
        reasoning: More of what the model thinks, by vLLM's newer name.
        reasoning_content: The same by its older one.
        refusal: Why the model does not answer.
    """

    content: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None

    @property
    def is_sign_of_life(self) -> bool:
        """Whether the model writes or thinks."""
        return bool(self.content or self.reasoning or self.reasoning_content)


class Choice(BaseModel):
    """One of the answers; only one is ever asked for."""

    delta: Delta = Delta()
    finish_reason: str | None = None


class Usage(BaseModel):
    """The length of prompt and answer, in tokens."""

    prompt_tokens: int
    completion_tokens: int = 0


class Chunk(BaseModel):
    """A piece of an answer."""

    model: str | None = None
    system_fingerprint: str | None = None
    choices: list[Choice] = []
    usage: Usage | None = None


class ModelCard(BaseModel):
    """A model that a server has; only vLLM's tells the window."""

    id: str
    max_model_len: int | None = None


class ModelList(BaseModel):
    """The models that a server has; Ollama's says null where it has none."""

    data: list[ModelCard] | None


class Properties(BaseModel):
    """What llama.cpp's server tells of itself; others tell nothing of this."""

    total_slots: int | None = None


class Slot(BaseModel):
    """What llama.cpp's server tells of one of the prompts that it answers at once."""

    is_processing: bool = False


class TokenCount(BaseModel):
    """How long a prompt is."""

    count: int
