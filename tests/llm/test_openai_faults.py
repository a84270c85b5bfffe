"""What a caller learns when a server fails, and how it is tried again."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web

from maie_core.errors import Code, StageError
from maie_llm import LanguageModel, Message, Prompt
from maie_llm.openai import OpenAISettings, open_openai
from maie_llm.openai.errors import retry_after_of
from maie_llm.settings import GenerationSettings
from maie_runtime.server_calls import MAX_RETRY_AFTER
from tests.llm.asking import HELLO, QUICK, answered, model_on
from tests.llm.openai_server import (
    MODEL,
    OpenAIServer,
    Reaction,
    answer_json,
    events,
    hang,
    hang_up,
    refuse,
    stream,
)
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.unit

SECRET = "what somebody said"
# Any number of tries, quickly.
TRIES: dict[str, Any] = {"retry_seconds": 20.0, "breaker_failures": 100}


async def error_of(model: LanguageModel) -> StageError:
    with pytest.raises(StageError) as caught:
        await answered(model)
    return caught.value


@pytest.mark.parametrize(
    ("reaction", "code", "reason"),
    [
        (refuse(401), "FAILED_PRECONDITION", "MODEL_ACCESS_DENIED"),
        (refuse(403), "FAILED_PRECONDITION", "MODEL_ACCESS_DENIED"),
        (refuse(429, code="insufficient_quota"), "FAILED_PRECONDITION", "MODEL_ACCESS_DENIED"),
        (refuse(404, code="model_not_found"), "FAILED_PRECONDITION", "MODEL_MISSING"),
        (answer_json({"error": "model not found"}, 404), "FAILED_PRECONDITION", "MODEL_MISSING"),
        # OpenAI's, vLLM's of now and before, llama.cpp's, and others'
        (refuse(400, code="context_length_exceeded"), "INVALID_ARGUMENT", "PROMPT_TOO_LONG"),
        (
            refuse(400, "This model's maximum context length is 128 tokens. However, …", code=400),
            "INVALID_ARGUMENT",
            "PROMPT_TOO_LONG",
        ),
        (
            answer_json({"object": "error", "message": "maximum context length is 128"}, 400),
            "INVALID_ARGUMENT",
            "PROMPT_TOO_LONG",
        ),
        (
            answer_json({"error": {"code": 400, "type": "exceed_context_size_error"}}, 400),
            "INVALID_ARGUMENT",
            "PROMPT_TOO_LONG",
        ),
        (refuse(413, "The prompt is too long."), "INVALID_ARGUMENT", "PROMPT_TOO_LONG"),
        (
            refuse(400, SECRET, code="invalid_schema"),
            "FAILED_PRECONDITION",
            "MODEL_REQUEST_REFUSED",
        ),
        (refuse(422, SECRET), "FAILED_PRECONDITION", "MODEL_REQUEST_REFUSED"),
        (answer_json(None, 307, location="/"), "FAILED_PRECONDITION", "MODEL_REQUEST_REFUSED"),
        (refuse(408), "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (refuse(429), "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (refuse(500, SECRET), "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (answer_json("<html>", 502), "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (refuse(503), "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (hang_up, "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (stream(finish=None), "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (stream(finish="abort"), "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (stream(after=hang_up), "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (answer_json({"choices": []}), "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (events("{"), "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (events('{"choices": 3}'), "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (events('{"error": {"message": "engine died"}}'), "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (
            events('{"error": {"message": "maximum context length is 9", "code": 400}}'),
            "INVALID_ARGUMENT",
            "PROMPT_TOO_LONG",
        ),
        (stream(finish="content_filter"), "INVALID_ARGUMENT", "CONTENT_REFUSED"),
        (
            events('{"choices": [{"delta": {"refusal": "I cannot."}}]}'),
            "INVALID_ARGUMENT",
            "CONTENT_REFUSED",
        ),
    ],
)
async def test_a_fault_has_a_status_and_a_reason(
    reaction: Reaction, code: str, reason: str
) -> None:
    async with model_on(OpenAIServer(reaction)) as model:
        error = await error_of(model)
    assert (error.code.name, error.reason) == (code, reason)
    assert SECRET not in error.message
    assert (error.retry_after is not None) == (code == "UNAVAILABLE")


async def test_a_server_that_is_gone_is_unavailable() -> None:
    async with AsyncExitStack() as client, AsyncExitStack() as running:
        server = await running.enter_async_context(OpenAIServer().running())
        settings = OpenAISettings(base_url=server.url, **QUICK)
        model = await client.enter_async_context(open_openai(settings, GenerationSettings()))
        assert (await answered(model))[0]
        await running.aclose()
        error = await error_of(model)
    assert (error.code, error.reason) == (Code.UNAVAILABLE, "MODEL_UNAVAILABLE")
    assert "cannot be reached" in error.message


@pytest.mark.parametrize(
    "fault", [refuse(500), refuse(429), refuse(503), hang_up, stream(after=hang_up), events("{")]
)
async def test_what_may_pass_is_tried_again(fault: Reaction) -> None:
    server = OpenAIServer(fault, fault, stream("Hello."))
    async with model_on(server, **TRIES) as model:
        assert (await answered(model))[0] == "Hello."
    assert len(server.bodies) == 3


@pytest.mark.parametrize("fault", [refuse(401), refuse(404), refuse(400)])
async def test_what_stays_wrong_is_tried_once(fault: Reaction) -> None:
    server = OpenAIServer(fault)
    async with model_on(server, **TRIES) as model:
        await error_of(model)
    assert len(server.bodies) == 1


async def test_tries_end_when_there_is_no_time_for_another() -> None:
    server = OpenAIServer(refuse(500))
    async with model_on(server, retry_seconds=3, breaker_failures=100) as model:
        async with asyncio.timeout(PATIENCE_SECONDS):
            error = await error_of(model)
    assert error.reason == "MODEL_UNAVAILABLE"
    assert len(server.bodies) >= 2


async def test_a_stream_that_breaks_in_its_middle_is_no_answer_and_not_begun_again() -> None:
    server = OpenAIServer(stream("Half a sen", after=hang_up), stream("Whole."))
    heard = []
    async with model_on(server, **TRIES) as model:
        with pytest.raises(StageError) as broken:
            async for piece in model.generate(HELLO):
                heard.append(piece)
    assert heard == ["Half a sen"]
    assert broken.value.code is Code.UNAVAILABLE
    assert len(server.bodies) == 1


@pytest.mark.parametrize("finish", [None, "abort"])
async def test_a_stream_that_just_ends_is_no_answer(finish: str | None) -> None:
    heard = []
    async with model_on(OpenAIServer(stream("Half a sen", finish=finish))) as model:
        with pytest.raises(StageError) as broken:
            async for piece in model.generate(HELLO):
                heard.append(piece)
    assert heard == ["Half a sen"]
    assert broken.value.code is Code.UNAVAILABLE


async def test_a_server_is_not_asked_again_before_it_wants_to() -> None:
    server = OpenAIServer(refuse(429, **{"retry-after": "1.2"}), stream("Hello."))
    async with model_on(server, **TRIES) as model:
        start = time.monotonic()
        assert (await answered(model))[0] == "Hello."
        assert time.monotonic() - start >= 1.2


async def test_a_server_that_wants_long_is_left_to_the_caller() -> None:
    server = OpenAIServer(refuse(503, **{"retry-after": "300"}))
    async with model_on(server, **TRIES) as model:
        error = await error_of(model)
    assert error.retry_after == timedelta(seconds=300)
    assert len(server.bodies) == 1


def test_retry_after_may_be_a_date() -> None:
    until = datetime.now(UTC) + timedelta(seconds=90)
    found = retry_after_of({"retry-after": format_datetime(until, usegmt=True)})
    assert found is not None
    assert timedelta(seconds=80) < found <= timedelta(seconds=90)


@pytest.mark.parametrize("told", ["", "soon", "-3", "1e9", "Mon, 99 Nov 2026 25:00:00 GMT"])
def test_retry_after_that_cannot_be_read_is_none(told: str) -> None:
    assert retry_after_of({"retry-after": told}) is None


async def test_no_caller_is_told_to_come_back_next_year() -> None:
    async with model_on(OpenAIServer(refuse(503, **{"retry-after": "99999999"}))) as model:
        assert (await error_of(model)).retry_after == MAX_RETRY_AFTER


@pytest.mark.parametrize(
    ("slow", "settings", "heard"),
    [
        (hang, {"first_token_seconds": 0.3}, []),
        (stream(after=hang), {"first_token_seconds": 0.3}, []),
        (stream("One.", after=hang), {"next_token_seconds": 0.3}, ["One."]),
    ],
)
async def test_silence_is_not_waited_out(
    slow: Reaction, settings: dict[str, Any], heard: list[str]
) -> None:
    server = OpenAIServer(slow)
    pieces: list[Any] = []
    async with model_on(server, **settings) as model:
        with pytest.raises(StageError, match=r"silent for 0\.3 s") as silent:
            async for piece in model.generate(HELLO):
                pieces.append(piece)
        assert silent.value.code is Code.UNAVAILABLE
        await asyncio.wait_for(server.hung_up.wait(), PATIENCE_SECONDS)
    assert pieces == heard


async def test_an_answer_may_take_its_time_to_begin_and_then_goes_on() -> None:
    server = OpenAIServer(stream("a", "b", "c", before=1.5))
    async with model_on(server, first_token_seconds=600, next_token_seconds=1.2) as model:
        assert (await answered(model))[0] == "abc"


async def test_a_slow_reader_is_no_silence() -> None:
    server = OpenAIServer(stream("a", "b", "c"))
    async with model_on(server, next_token_seconds=1.0) as model:
        pieces = model.generate(HELLO)
        await anext(pieces)
        await asyncio.sleep(1.2)
        assert [piece async for piece in pieces][:2] == ["b", "c"]


async def test_a_server_that_fails_again_and_again_is_left_alone_and_then_tried() -> None:
    server = OpenAIServer(refuse(500), refuse(500), refuse(500), stream("Hello.", before=0.3))
    async with model_on(server, breaker_failures=2, breaker_pause_seconds=1.5) as model:
        await error_of(model)
        await error_of(model)
        refused = await error_of(model)  # without a call
        assert len(server.bodies) == 2
        assert refused.retry_after is not None
        assert refused.retry_after <= timedelta(seconds=1.5)
        await asyncio.sleep(1.6)
        await error_of(model)  # the probe, which fails
        await error_of(model)
        assert len(server.bodies) == 3
        await asyncio.sleep(1.6)
        probe, other = await asyncio.gather(
            answered(model), answered(model), return_exceptions=True
        )
        assert isinstance(other, StageError)  # only one goes
        assert not isinstance(probe, BaseException)
        assert (await answered(model))[0] == "Hello."


async def test_a_server_that_is_left_alone_is_waited_for() -> None:
    server = OpenAIServer(refuse(500), refuse(500), stream("Hello."))
    async with model_on(
        server, breaker_failures=1, breaker_pause_seconds=0.3, retry_seconds=20.0
    ) as model:
        assert (await answered(model))[0] == "Hello."
    assert len(server.bodies) == 3


@pytest.mark.parametrize("fault", [refuse(400), refuse(429), refuse(401)])
async def test_a_server_that_answers_is_not_left_alone(fault: Reaction) -> None:
    server = OpenAIServer(fault, fault, stream("Hello."))
    async with model_on(server, breaker_failures=1, breaker_pause_seconds=60) as model:
        await error_of(model)
        await error_of(model)
        assert (await answered(model))[0] == "Hello."


async def test_a_cancelled_probe_leaves_room_for_the_next() -> None:
    server = OpenAIServer(refuse(500), hang, stream("Hello."))
    async with model_on(server, breaker_failures=1, breaker_pause_seconds=0.2) as model:
        await error_of(model)
        await asyncio.sleep(0.3)
        probe = asyncio.create_task(answered(model))
        await until(lambda: len(server.bodies) == 2)
        probe.cancel()
        await asyncio.wait([probe])
        assert (await answered(model))[0] == "Hello."


async def test_counting_is_tried_again() -> None:
    reactions = [answer_json({"count": 1}), refuse(503), hang_up, answer_json({"count": 9})]

    async def react(request: web.Request) -> web.StreamResponse:
        return await reactions.pop(0)(request)

    server = OpenAIServer()
    server.tokenize = react
    async with model_on(server, **TRIES) as model:
        assert await model.count([Message(role="user", content="x")]) == 9


async def test_a_prompt_that_the_server_finds_too_long_names_no_text() -> None:
    server = OpenAIServer(refuse(400, f"maximum context length is 9: {SECRET}"))
    async with model_on(server) as model:
        with pytest.raises(StageError, match="does not fit") as refused:
            await answered(model, Prompt(messages=[Message(role="user", content=SECRET)]))
    assert SECRET not in refused.value.message
    assert MODEL not in refused.value.message
