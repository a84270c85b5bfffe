"""Settings of language models on a server. A service derives its own class with an `env_prefix`."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from maie_runtime.settings import Settings

StructuredOutput = Literal["json_schema", "json_object", "none"]
ParameterName = Literal[
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repetition_penalty",
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "max_tokens",
]
# What maie itself says in each request.
OWN_FIELDS = frozenset({"model", "messages", "stream", "stream_options", "response_format"})


class OpenAISettings(Settings):
    """A model behind any server that speaks OpenAI's API for chat completions."""

    base_url: str = ""
    """Where the server's API is, such as `http://127.0.0.1:8000/v1`; without a user or key."""
    api_key: SecretStr | None = None
    """The key, where the server wants one. Never logged or told."""
    model: str = ""
    """The model's name, as the server lists it."""
    window: int | None = Field(default=None, ge=32)
    """The most tokens that prompt and answer may have together; where unset, what the server says,
    as vLLM's does. Others clip a longer prompt without a word, so it must not be set too high."""
    bytes_per_token: float = Field(default=1.0, ge=1, le=8)
    """How many bytes of text make a token at least, where the server does not count tokens: 1 is
    true of every model, 3 of most for English."""
    structured_output: StructuredOutput = "json_schema"
    """How an answer is held to a schema: by the schema itself (`json_schema`), as some JSON
    (`json_object`), or by the prompt alone (`none`), for servers that know no better."""
    strict_schema: bool = True
    """Whether the server is to follow the schema strictly. OpenAI's own takes strict schemas only
    where all properties are required."""
    parameters: tuple[ParameterName, ...] = (
        "temperature",
        "top_p",
        "presence_penalty",
        "frequency_penalty",
        "seed",
        "max_tokens",
    )
    """The generation settings that the server takes, as a JSON list. Others are refused when a
    request sets them. vLLM's takes `top_k`, `min_p` and `repetition_penalty` too."""
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """What the server calls the longest answer; newer models of OpenAI's know only the second."""
    extra_body: dict[str, Any] = Field(default={})
    """What is sent with each request besides, as a JSON object, such as
    `{"chat_template_kwargs": {"enable_thinking": false}}`. Reported with each result, so no place
    for secrets."""
    connect_seconds: float = Field(default=5.0, gt=0)
    """The longest wait for a connection."""
    concurrency: int | None = Field(default=None, ge=1, le=4096)
    """How many calls the service has under way at once; more wait for their turn, without a limit
    of time. Where unset, as many as the server says that it answers at once, as llama.cpp's does,
    or else any number. Set it to 1 for a server that answers one after the other and does not say
    so, such as Ollama's with `OLLAMA_NUM_PARALLEL=1`."""
    first_token_seconds: float = Field(default=120.0, gt=0)
    """The longest wait for an answer to begin without any sign that the server works, such as a
    word of an answer to another call of the service."""
    next_token_seconds: float = Field(default=60.0, gt=0)
    """The longest silence within an answer without any sign that the server works."""
    retry_seconds: float = Field(default=120.0, ge=0)
    """A request that failed for reasons that may pass is tried again so long, if no part of an
    answer has come; 0 to try once."""
    breaker_failures: int = Field(default=5, ge=1)
    """After so many failures in a row the server is left alone for a while."""
    breaker_pause_seconds: float = Field(default=15.0, gt=0)
    """For how long; then one request tries it."""

    @field_validator("base_url")
    @classmethod
    def _plain_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("must be an http or https URL, such as http://127.0.0.1:8000/v1")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("must have no user, password, query or fragment")
        return url.rstrip("/")

    @field_validator("api_key")
    @classmethod
    def _sendable_key(cls, key: SecretStr | None) -> SecretStr | None:
        value = key.get_secret_value().strip() if key else ""
        if not (value.isascii() and value.replace(" ", "").isprintable()):
            raise ValueError("must be plain ASCII on one line")
        return SecretStr(value) if value else None

    @field_validator("extra_body")
    @classmethod
    def _leave_our_own_fields(cls, extra: dict[str, Any]) -> dict[str, Any]:
        if ours := sorted(extra.keys() & OWN_FIELDS):
            raise ValueError(f"must not set {', '.join(ours)}, which maie sets itself")
        return extra
