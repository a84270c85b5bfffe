"""Finds language model servers on this machine, and shows the settings for them."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx2
from pydantic import BaseModel, ValidationError

from maie_cli.doctor.finding import Finding, Health
from maie_cli.mesh.ports import HOST

# A server on this machine answers at once, or is too busy.
PATIENCE_SECONDS = 1.0
MAX_ANSWER_BYTES = 1024 * 1024
MAX_NAMED = 3
EMBEDDING = "embed"


@dataclass(kw_only=True, frozen=True, slots=True)
class Kind:
    """A kind of server with OpenAI's API.

    Attributes:
        name: Its name.
        port: Its default port.
        window: Where to find the length of a model's window, which the server does not report.
    """

    name: str
    port: int
    window: str = "the model's window in tokens"


KINDS = (
    Kind(name="Ollama", port=11434, window="its OLLAMA_CONTEXT_LENGTH"),
    Kind(name="llama.cpp", port=8080, window="its --ctx-size over its --parallel"),
    Kind(name="vLLM", port=8000),
    Kind(name="LM Studio", port=1234, window="the context length of the loaded model"),
)
# The owner of a model as these servers report it: other programs may use their ports.
OWNERS = {"library": "Ollama", "llamacpp": "llama.cpp", "vllm": "vLLM"}


class Card(BaseModel):
    """A model of a server."""

    id: str
    owned_by: str = ""
    max_model_len: int | None = None


class Cards(BaseModel):
    """The models of a server; Ollama sends null for none."""

    data: list[Card] | None


async def servers(ports: Mapping[str, int] | None = None) -> AsyncIterator[Finding]:
    """Looks for servers on this machine's loopback address, concurrently.

    Args:
        ports: The port of each kind, by its name; unset: the default ports.
    """
    places = [(kind, (ports or {}).get(kind.name, kind.port)) for kind in KINDS]
    # The environment's proxy would look on another machine.
    async with httpx2.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as client:
        seen = await asyncio.gather(*(_look(client, kind, port) for kind, port in places))
    found = [finding for finding in seen if finding is not None]
    for finding in found:
        yield finding
    if not found:
        names = ", ".join(f"{kind.name} ({port})" for kind, port in places)
        yield Finding(
            what="language model",
            health=Health.ABSENT,
            detail=f"no server on this machine: looked for {names}",
            mend="docs/language-models.md says what one is good for",
        )


async def _look(client: httpx2.AsyncClient, kind: Kind, port: int) -> Finding | None:
    """The language model server at a port of this machine, if any."""
    url = f"http://{HOST}:{port}/v1"
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            status, content = await _get(client, f"{url}/models")
    except (httpx2.HTTPError, TimeoutError):
        return None
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and b'"error"' in content:
        return _found(f"a server at {HOST}:{port} wants a key", _settings(url, "MODEL", kind, True))
    try:
        cards = Cards.model_validate_json(content).data or []
    except ValidationError:
        return None  # another program
    name = next((OWNERS[card.owned_by] for card in cards if card.owned_by in OWNERS), kind.name)
    kind = next(each for each in KINDS if each.name == name)
    usable = [card for card in cards if EMBEDDING not in card.id.lower()]
    if not usable:
        return _found(f"{name} at {HOST}:{port} has no model that writes", "fetch one with it")
    names = ", ".join(card.id for card in usable[:MAX_NAMED])
    more = f" and {len(usable) - MAX_NAMED} more" if len(usable) > MAX_NAMED else ""
    reports_window = usable[0].max_model_len is not None
    settings = _settings(url, usable[0].id, None if reports_window else kind)
    return _found(f"{name} at {HOST}:{port} with {names}{more}", settings)


async def _get(client: httpx2.AsyncClient, url: str) -> tuple[int, bytes]:
    """The status and the first bytes of an answer."""
    content = b""
    async with client.stream("GET", url) as response:
        async for piece in response.aiter_bytes():
            content += piece
            if len(content) > MAX_ANSWER_BYTES:
                break
    return response.status_code, content


def _settings(url: str, model: str, kind: Kind | None, key: bool = False) -> str:
    """The settings that use a model for summaries.

    Args:
        url: The URL of the server's API.
        model: The model's name.
        kind: The kind of server, if it does not report the model's window.
        key: Whether it needs a key.
    """
    values: dict[str, Any] = {
        "MAIE_SUMMARY_ENGINE": "openai",
        "MAIE_SUMMARY_OPENAI_BASE_URL": url,
        "MAIE_SUMMARY_OPENAI_MODEL": model,
    }
    if key:
        values["MAIE_SUMMARY_OPENAI_API_KEY"] = "KEY"
    line = " ".join(f"{name}={shlex.quote(value)}" for name, value in values.items())
    window = f" MAIE_SUMMARY_OPENAI_WINDOW=N, where N is {kind.window}" if kind else ""
    return f"for summaries set {line}{window}"


def _found(detail: str, mend: str) -> Finding:
    return Finding(what="language model", detail=detail, mend=mend)
