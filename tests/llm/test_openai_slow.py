"""A slow server is not a dead one: its calls queue, and time counts from its last sign of life."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from aiohttp import web

from maie_core.errors import StageError
from maie_llm import LanguageModel, Prompt
from maie_runtime.worker.stage import StageContext
from maie_summary.settings import SummarySettings
from maie_summary.stage import open_stage
from tests.llm.asking import HELLO, answered, model_on
from tests.llm.openai_server import (
    MODEL,
    OpenAIServer,
    Reaction,
    answer_json,
    hang,
    one_at_a_time,
    stream,
)
from tests.summary.asking import ask, request, transcript
from tests.summary.conftest import context as context
from tests.waiting import until

pytestmark = pytest.mark.unit

WORDS = ("one ", "two ", "three ", "four ", "five ")
BETWEEN = 0.15
CALLS = 6
# All calls take six times five gaps: more than this in all, much less from sign to sign.
PATIENCE: dict[str, Any] = {"first_token_seconds": 2.0, "next_token_seconds": 2.0}


def one_slot() -> OpenAIServer:
    return OpenAIServer(one_at_a_time(stream(*WORDS, between=BETWEEN)))


async def answer_all(model: LanguageModel) -> list[str]:
    answers = await asyncio.gather(*(answered(model) for _ in range(CALLS)))
    return [text for text, _ in answers]


async def test_calls_of_a_server_that_tells_its_slots_take_turns() -> None:
    server = one_slot()
    server.props = answer_json({"total_slots": 1, "model_path": "model.gguf"})
    server.slots = answer_json([{"id": 0, "is_processing": False}])
    async with model_on(server, **PATIENCE) as model:
        assert await answer_all(model) == ["".join(WORDS)] * CALLS
    assert server.most_under_way == 1
    assert len(server.bodies) == CALLS


@pytest.mark.slow
async def test_calls_that_queue_at_a_server_wait_as_long_as_it_answers_others() -> None:
    server = one_slot()
    async with model_on(server, **PATIENCE) as model:
        assert await answer_all(model) == ["".join(WORDS)] * CALLS
    assert server.most_under_way == CALLS
    assert len(server.bodies) == CALLS


@pytest.mark.parametrize("told", [None, 4])
async def test_the_limit_that_is_set_holds(told: int | None) -> None:
    server = OpenAIServer(stream(*WORDS, between=0.05))
    if told is not None:
        server.props = answer_json({"total_slots": told})
    async with model_on(server, concurrency=2) as model:
        await answer_all(model)
    assert server.most_under_way == 2


async def test_a_turn_is_given_back_however_a_call_ends() -> None:
    failing = stream("one", after=answer_json({}), finish=None)
    server = OpenAIServer(failing, failing, hang, stream("good"))
    async with model_on(server, concurrency=1, first_token_seconds=1.0) as model:
        for _ in range(3):
            with pytest.raises(StageError):
                await answered(model)
        pieces = model.generate(HELLO)
        assert await anext(pieces) == "good"
        await pieces.aclose()
        assert (await answered(model))[0] == "good"


async def test_a_call_that_waits_has_the_signs_of_life_of_the_one_before() -> None:
    server = one_slot()
    signs: list[int] = []
    async with model_on(server, concurrency=1, **PATIENCE) as model:
        first = asyncio.create_task(answered(model))
        while not server.bodies:
            await asyncio.sleep(0.01)
        waiting = replace(HELLO, heartbeat=lambda: signs.append(len(server.bodies)))
        await answered(model, waiting)
        await first
    assert signs.count(1) >= len(WORDS) - 1
    assert signs.count(2) >= len(WORDS)


def slots_at_work(changing: bool) -> Reaction:
    """One slot that is busy with somebody else's prompt."""
    decoded = count()

    async def react(_: web.Request) -> web.StreamResponse:
        told = {"id": 0, "is_processing": True, "n_decoded": next(decoded) if changing else 0}
        return web.json_response([told])

    return react


async def test_a_server_that_works_for_others_is_waited_for_while_its_slots_change() -> None:
    limits: dict[str, Any] = {"first_token_seconds": 0.9, "next_token_seconds": 0.9}
    signs: list[None] = []

    async def late(request: web.Request) -> web.StreamResponse:
        # The slots are looked at three times in each limit.
        await until(lambda: len(signs) >= 7)
        return await stream("late")(request)

    server = OpenAIServer(late)
    server.props = answer_json({"total_slots": 1})
    server.slots = slots_at_work(changing=True)
    async with model_on(server, **limits) as model:
        prompt = Prompt(messages=HELLO.messages, heartbeat=lambda: signs.append(None))
        assert (await answered(model, prompt))[0] == "late"

    server = OpenAIServer(hang)
    server.props = answer_json({"total_slots": 1})
    server.slots = slots_at_work(changing=False)
    async with model_on(server, **limits) as model:
        with pytest.raises(StageError, match=r"was silent for 0\.9 s"):
            await answered(model)


@pytest.mark.parametrize("slots", [answer_json({}, 501), answer_json("?"), answer_json([])])
async def test_a_server_that_hides_its_slots_is_given_up_in_time(slots: Reaction) -> None:
    server = OpenAIServer(hang)
    server.props = answer_json({"total_slots": 1})
    server.slots = slots
    async with model_on(server, first_token_seconds=0.5) as model:
        with pytest.raises(StageError, match=r"was silent for 0\.5 s"):
            await answered(model)


async def test_each_word_of_a_slow_summary_is_a_sign_of_life(
    context: StageContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = json.dumps(
        {
            "title": {"text": "We stop", "lines": [2]},
            "abstract": {"text": "We stop.", "lines": [2]},
            **{name: [] for name in ("topics", "key_points", "decisions")},
            **{name: [] for name in ("action_items", "questions")},
        }
    )
    server = OpenAIServer(stream(*answer))
    signs: list[None] = []
    context = replace(context, heartbeat=lambda: signs.append(None))
    async with server.running():
        for name, value in (("BASE_URL", server.url), ("MODEL", MODEL), ("WINDOW", "100000")):
            monkeypatch.setenv(f"MAIE_SUMMARY_OPENAI_{name}", value)
        async with open_stage(SummarySettings(engine="openai"), context.blobs) as stage:
            asked = request(transcript=transcript(["Good morning.", "We stop."]))
            filled = (await ask(stage, context, asked)).summary
    assert filled.content["title"] == "We stop"
    assert len(signs) >= len(answer)
