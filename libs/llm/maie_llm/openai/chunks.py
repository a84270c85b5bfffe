"""The fields of a server's messages that are used."""

from __future__ import annotations

from pydantic import BaseModel


class Delta(BaseModel):
    """The next part of an answer.

    Attributes:
        content: Text of the answer.
        reasoning: Text of the reasoning, by vLLM's newer name.
        reasoning_content: The same by its older name.
        refusal: Why the model does not answer.
    """

    content: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None

    @property
    def has_output(self) -> bool:
        """Whether there is text of the answer or the reasoning."""
        return bool(self.content or self.reasoning or self.reasoning_content)


class Choice(BaseModel):
    """One of the answers; requests ask for only one."""

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
    """A model of a server; only vLLM's reports the window."""

    id: str
    max_model_len: int | None = None


class ModelList(BaseModel):
    """The models of a server; Ollama's sends null for none."""

    data: list[ModelCard] | None


class Properties(BaseModel):
    """The properties that only llama.cpp's server reports."""

    total_slots: int | None = None


class Slot(BaseModel):
    """A slot that llama.cpp's server reports."""

    is_processing: bool = False


class TokenCount(BaseModel):
    """The length of a prompt."""

    count: int
