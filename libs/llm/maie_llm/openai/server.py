"""The HTTP calls of one server, without retries, and their errors."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import Any, TypeVar

import httpx2
import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_llm.model import Message
from maie_llm.openai.chunks import Chunk, ModelCard, ModelList, Properties, Slot, TokenCount
from maie_llm.openai.errors import Unavailable, status_error
from maie_llm.openai.request import chat_of
from maie_llm.openai.settings import OpenAISettings

log = structlog.get_logger()

END = "[DONE]"
# The most bytes to read of an error; a longer body is not one, such as a proxy's page.
MAX_ERROR_BYTES = 64 * 1024
COUNT_SECONDS = 30.0
# A busy server answers between two batches.
SLOTS_SECONDS = 30.0

_SLOTS = TypeAdapter(list[Slot])

ModelT = TypeVar("ModelT", bound=BaseModel)


class Server:
    """A client of an OpenAI-compatible server.

    Args:
        client: Sends requests, relative to the base URL.
        settings: The server's address and features.
    """

    def __init__(self, client: httpx2.AsyncClient, settings: OpenAISettings) -> None:
        self._client = client
        self._settings = settings

    async def models(self) -> list[ModelCard]:
        """The server's models.

        Raises:
            StageError: As `status_error` maps it, or Unavailable.
        """
        with _connection_errors():
            response = await self._client.get(
                "models", timeout=self._timeout(self._settings.first_token_seconds)
            )
        if response.status_code != HTTPStatus.OK:
            raise self._status_error(response, response.content)
        return _read(ModelList, response.content).data or []

    async def count(self, messages: Sequence[Message]) -> int:
        """The tokens of a prompt, for servers with vLLM's `tokenize`.

        Raises:
            StageError: As `status_error` maps it, or Unavailable.
        """
        body = {
            "model": self._settings.model,
            "messages": chat_of(messages),
            "add_generation_prompt": True,
        }
        if "chat_template_kwargs" in self._settings.extra_body:
            body["chat_template_kwargs"] = self._settings.extra_body["chat_template_kwargs"]
        with _connection_errors():
            response = await self._client.post(
                self._root_url("tokenize"), json=body, timeout=self._timeout(COUNT_SECONDS)
            )
        if response.status_code != HTTPStatus.OK:
            raise self._status_error(response, response.content)
        return _read(TokenCount, response.content).count

    async def slot_count(self) -> int | None:
        """The number of slots that llama.cpp's server reports; None for others.

        Raises:
            StageError: As `status_error` maps it, or Unavailable.
        """
        answer = _read(Properties, await self._get("props"))
        return answer.total_slots or None

    async def slots(self) -> str:
        """The server's report of its slots, which changes while it works; empty if none is busy.

        Raises:
            StageError: As `status_error` maps it, or Unavailable.
        """
        body = await self._get("slots")
        try:
            slots = _SLOTS.validate_json(body)
        except ValidationError:
            raise _invalid_answer() from None
        return body.decode(errors="replace") if any(slot.is_processing for slot in slots) else ""

    async def _get(self, name: str) -> bytes:
        with _connection_errors():
            response = await self._client.get(
                self._root_url(name), timeout=self._timeout(SLOTS_SECONDS)
            )
        if response.status_code != HTTPStatus.OK:
            raise self._status_error(response, response.content)
        return response.content

    def _root_url(self, name: str) -> str:
        """The URL of an endpoint outside OpenAI's API."""
        return f"{self._settings.base_url.removesuffix('/v1')}/{name}"

    async def answer(self, body: Mapping[str, Any]) -> AsyncGenerator[Chunk, None]:
        """Streams an answer in pieces; closing the iteration ends the call.

        Raises:
            StageError: As `status_error` maps it, or Unavailable.
        """
        with _connection_errors():
            async with self._events(body) as source:
                async for event in source:
                    if event.data == END:
                        return
                    yield self._chunk(event.data)

    @asynccontextmanager
    async def _events(self, body: Mapping[str, Any]) -> AsyncIterator[httpx2.EventSource]:
        async with self._client.sse("chat/completions", method="POST", json=body) as source:
            response = source.response
            if response.status_code != HTTPStatus.OK:
                raise self._status_error(response, await _error_body(response))
            yield source

    def _chunk(self, data: str) -> Chunk:
        """Parses a piece of an answer; raises an error sent in its place."""
        try:
            answer = json.loads(data)
        except ValueError:
            raise _invalid_answer() from None
        if isinstance(answer, dict) and (answer.get("error") or answer.get("object") == "error"):
            raise self._error(_status_of(answer.get("error") or answer), {}, answer)
        return _read(Chunk, data)

    def _timeout(self, seconds: float) -> httpx2.Timeout:
        return httpx2.Timeout(seconds, connect=self._settings.connect_seconds)

    def _status_error(self, response: httpx2.Response, body: bytes) -> StageError:
        try:
            answer = json.loads(body)
        except ValueError:  # such as a proxy's page
            answer = None
        return self._error(response.status_code, response.headers, answer)

    def _error(self, status: int, headers: Mapping[str, str], body: Any) -> StageError:
        return status_error(status, headers, body, self._settings.model)


def open_client(settings: OpenAISettings) -> httpx2.AsyncClient:
    """A client for the server; the caller closes it.

    Raises:
        StageError: UNAVAILABLE with MODEL_UNAVAILABLE: the environment names a proxy that is none.
    """
    try:
        return _client(settings)
    except (ValueError, httpx2.InvalidURL):
        # Not "from" the error, which repeats the URL of the proxy, and with it its password.
        raise StageError(
            Code.UNAVAILABLE,
            Reason.MODEL_UNAVAILABLE,
            "The language model's server cannot be reached: HTTP_PROXY, HTTPS_PROXY or ALL_PROXY "
            "is no URL of a proxy; write http://HOST:PORT, or name the server in NO_PROXY.",
        ) from None


def _client(settings: OpenAISettings) -> httpx2.AsyncClient:
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    return httpx2.AsyncClient(
        base_url=settings.base_url,
        headers={"authorization": f"Bearer {key}"} if key else {},
        # The reader of an answer has its own timeouts.
        timeout=httpx2.Timeout(
            connect=settings.connect_seconds,
            read=None,
            write=settings.first_token_seconds,
            pool=None,
        ),
        # The slots limit the calls, and an overloaded server refuses them.
        limits=httpx2.Limits(max_connections=None),
    )


@contextmanager
def _connection_errors() -> Iterator[None]:
    try:
        yield
    except httpx2.TimeoutException:
        raise Unavailable("does not answer in time") from None
    except httpx2.ConnectError as error:
        log.warning("llm.server_unreachable", error=str(error))
        raise Unavailable("cannot be reached") from None
    except httpx2.RequestError:
        raise Unavailable("broke off the connection, or sent an invalid answer") from None


async def _error_body(response: httpx2.Response) -> bytes:
    body = b""
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MAX_ERROR_BYTES:
            break
    return body


def _read(kind: type[ModelT], data: str | bytes) -> ModelT:
    try:
        return kind.model_validate_json(data)
    except ValidationError:  # its text would repeat the answer
        raise _invalid_answer() from None


def _status_of(error: Any) -> int:
    """The HTTP status of an error within an answer."""
    status = error.get("code") if isinstance(error, dict) else None
    if isinstance(status, int) and status >= HTTPStatus.BAD_REQUEST:
        return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def _invalid_answer() -> StageError:
    return Unavailable("sent an answer that is not of OpenAI's API")
