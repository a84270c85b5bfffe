"""A server that speaks OpenAI's API for chat completions, and its faults."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

MODEL = "talker"
KEY = "sk-not-for-logs"

Reaction = Callable[[web.Request], Awaitable[web.StreamResponse]]


class OpenAIServer:
    """Answers each chat by the next reaction of its script, and the last one for good.

    Attributes:
        url: The base URL.
        bodies: What was asked, in order.
        counted: What was to be counted, in order.
        keys: The `Authorization` of each request.
        props: What llama.cpp's server tells of itself; others have nothing there.
        slots: What it tells of its slots.
        most_under_way: How many answers were under way at once.
        hung_up: Set when a client leaves before its answer's end.
    """

    def __init__(self, *script: Reaction, cards: Sequence[dict[str, Any]] | None = None) -> None:
        self.url = ""
        self.bodies: list[dict[str, Any]] = []
        self.counted: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.hung_up = asyncio.Event()
        self.models: Reaction = answer_json({"data": cards or [{"id": MODEL}]})
        self.tokenize: Reaction = answer_json({"detail": "Not Found"}, 404)
        self.props: Reaction = self.tokenize
        self.slots: Reaction = self.tokenize
        self.under_way = 0
        self.most_under_way = 0
        self._script = list(script) or [stream("Hello", ", world.")]

    async def chat(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        self.keys.append(request.headers.get("authorization", ""))
        reaction = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await reaction(request)
        except (ConnectionResetError, asyncio.CancelledError):
            self.hung_up.set()
            raise
        finally:
            self.under_way -= 1

    async def count(self, request: web.Request) -> web.StreamResponse:
        self.counted.append(await request.json())
        return await self.tokenize(request)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[OpenAIServer]:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_get("/v1/models", self.models)
        app.router.add_post("/tokenize", self.count)
        app.router.add_get("/props", self.props)
        app.router.add_get("/slots", self.slots)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        try:
            yield self
        finally:
            await runner.cleanup()


def answer_json(body: Any, status: int = 200, **headers: str) -> Reaction:
    """A plain answer."""

    async def react(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers=headers)

    return react


def refuse(status: int, message: str = "No.", code: Any = None, **headers: str) -> Reaction:
    """An error as OpenAI words it."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return answer_json({"error": error}, status, **headers)


def stream(
    *texts: str,
    finish: str | None = "stop",
    usage: tuple[int, int] | None = (7, 3),
    after: Reaction | None = None,
    before: float = 0.0,
    between: float = 0.0,
    **told: Any,
) -> Reaction:
    """An answer in pieces.

    Args:
        finish: How it ends; None where it just stops.
        usage: The tokens of prompt and answer; None where they are not told.
        after: What is done in place of an end.
        before: Seconds until the first piece.
        between: Seconds between pieces.
        told: Besides, in each piece.
    """

    async def react(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await send(response, {"choices": [{"index": 0, "delta": {"role": "assistant"}}], **told})
        await asyncio.sleep(before)
        for text in texts:
            await send(response, {"choices": [{"delta": {"content": text}}], **told})
            await asyncio.sleep(between)
        if after is not None:
            return await after(request)
        if finish is not None:
            await send(response, {"choices": [{"delta": {}, "finish_reason": finish}], **told})
        if usage is not None:
            tokens = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
            await send(response, {"choices": [], "usage": tokens, **told})
        if finish is not None:
            await response.write(b"data: [DONE]\n\n")
        return response

    return react


def one_at_a_time(reaction: Reaction) -> Reaction:
    """A server with one slot: each answer waits until the one before is whole."""
    slot = asyncio.Lock()

    async def react(request: web.Request) -> web.StreamResponse:
        async with slot:
            return await reaction(request)

    return react


def events(*datas: str) -> Reaction:
    """Server-sent events, as they are."""

    async def react(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for data in datas:
            await response.write(f"data: {data}\n\n".encode())
        return response

    return react


async def send(response: web.StreamResponse, chunk: dict[str, Any]) -> None:
    await response.write(f"data: {json.dumps(chunk)}\n\n".encode())


async def hang_up(request: web.Request) -> web.StreamResponse:
    """The connection is gone."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hang(_: web.Request) -> web.StreamResponse:
    """Nothing comes any more."""
    await asyncio.sleep(3600)
    return web.Response()
