"""Settings of language models on a server. A service derives its own class with an `env_prefix`."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from maie_core.redaction import masked_url
from maie_core.settings import Settings

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
# The fields that maie itself sets in each request.
OWN_FIELDS = frozenset({"model", "messages", "stream", "stream_options", "response_format"})


class OpenAISettings(Settings):
    """A model behind any server with OpenAI's API for chat completions."""

    base_url: str = ""
    """The URL of the server's API, such as `http://127.0.0.1:8000/v1`; without user or key."""
    api_key: SecretStr | None = None
    """The API key, if the server needs one. Never logged or returned."""
    model: str = ""
    """The model's name, as the server lists it."""
    window: int | None = Field(default=None, ge=32)
    """The context window: the most tokens of prompt and answer together; unset: as the server
    reports it, as vLLM does. Other servers silently truncate a longer prompt: do not set it too
    high."""
    bytes_per_token: float = Field(default=1.0, ge=1, le=8)
    """The least bytes of text in a token, if the server does not count tokens: 1 is
    true of every model, 3 of most models for English."""
    structured_output: StructuredOutput = "json_schema"
    """How the server enforces a schema: by the schema itself (`json_schema`), as any JSON
    (`json_object`), or only by the prompt (`none`), for servers without structured output."""
    strict_schema: bool = True
    """Whether to set `strict` with the schema. OpenAI's own server takes strict schemas only
    if all properties are required."""
    parameters: tuple[ParameterName, ...] = (
        "temperature",
        "top_p",
        "presence_penalty",
        "frequency_penalty",
        "seed",
        "max_tokens",
    )
    """The generation parameters that the server accepts, as a JSON list. Requests with others are
    refused. vLLM's server also accepts `top_k`, `min_p` and `repetition_penalty`."""
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """The server's name for the limit on answers; OpenAI's newer models accept only the second."""
    extra_body: dict[str, Any] = Field(default={})
    """Additional fields of each request, as a JSON object, such as
    `{"chat_template_kwargs": {"enable_thinking": false}}`. Each result reports them: put no secrets
    here."""
    connect_seconds: float = Field(default=5.0, gt=0)
    """The connect timeout."""
    concurrency: int | None = Field(default=None, ge=1, le=4096)
    """The most concurrent calls of the service; more wait in a queue, without a time limit. Unset:
    the number of slots that the server reports, as llama.cpp does, or else no limit. Set it to 1
    for a server that answers one call at a time and reports no slots,
    such as Ollama with `OLLAMA_NUM_PARALLEL=1`."""
    first_token_seconds: float = Field(default=120.0, gt=0)
    """The longest wait for the first token of an answer without a heartbeat of the server, such as
    a token of an answer to another call of the service."""
    next_token_seconds: float = Field(default=60.0, gt=0)
    """The longest wait for the next token without a heartbeat of the server."""
    retry_seconds: float = Field(default=120.0, ge=0)
    """How long a request with a transient error is retried, if no part of an answer has arrived; 0
    for no retries."""
    breaker_failures: int = Field(default=5, ge=1)
    """The failures in a row that open the circuit breaker: no more calls for a while."""
    breaker_pause_seconds: float = Field(default=15.0, gt=0)
    """How long the circuit breaker stays open; then one request probes the server."""

    @field_validator("base_url")
    @classmethod
    def _plain_url(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if url and not usable:
            raise ValueError(
                f"{masked_url(url)} must be an http or https URL, such as http://127.0.0.1:8000/v1"
            )
        if url and (parts.username or parts.password or parts.query or parts.fragment):
            raise ValueError(
                f"{masked_url(url)} must have no user, password, query or fragment; the key goes "
                "into the setting of the API key"
            )
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
