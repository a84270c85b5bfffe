"""What is asked of an OpenAI-compatible server, and what is made of its answers."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest
from aiohttp import web

from maie_core.errors import Code, StageError
from maie_llm import Completion, Generation, Message, Prompt
from maie_llm.generation import NAMES
from maie_llm.settings import GenerationSettings
from tests.llm.asking import HELLO, answered, model_on
from tests.llm.openai_server import (
    KEY,
    MODEL,
    OpenAIServer,
    answer_json,
    events,
    hang,
    stream,
)
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.unit

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


async def test_an_answer_comes_bit_by_bit_and_says_how_it_ended() -> None:
    async with model_on(OpenAIServer(stream("Hel", "lo", usage=(12, 2)))) as model:
        pieces = [piece async for piece in model.generate(HELLO)]
    assert pieces == ["Hel", "lo", Completion(finish="stop", prompt_tokens=12, tokens=2)]


async def test_an_answer_that_was_cut_off_says_so() -> None:
    async with model_on(OpenAIServer(stream("Hel", finish="length"))) as model:
        _, completion = await answered(model)
    assert completion.finish == "length"


async def test_an_empty_answer_is_one() -> None:
    async with model_on(OpenAIServer(stream())) as model:
        text, completion = await answered(model)
    assert (text, completion.finish) == ("", "stop")


async def test_thoughts_are_no_part_of_an_answer() -> None:
    thought = {"choices": [{"delta": {"reasoning_content": "Hm.", "reasoning": "Hm."}}]}
    said = {"choices": [{"delta": {"content": "Yes."}, "finish_reason": "stop"}]}
    server = OpenAIServer(events(json.dumps(thought), json.dumps(said), "[DONE]"))
    async with model_on(server) as model:
        assert (await answered(model))[0] == "Yes."


async def test_a_server_that_tells_no_lengths_gives_upper_bounds() -> None:
    async with model_on(OpenAIServer(stream("Häh?", usage=None))) as model:
        _, completion = await answered(model)
        assert completion.tokens == len("Häh?".encode())
        assert completion.prompt_tokens == await model.count(HELLO.messages)


async def test_the_chat_is_sent_with_nothing_but_what_was_said() -> None:
    server = OpenAIServer()
    chat = [Message(role="system", content="Be brief."), Message(role="user", content="Hi.")]
    async with model_on(server) as model:
        await answered(model, Prompt(messages=chat))
    assert server.bodies == [
        {
            "model": MODEL,
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hi."},
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
            "seed": 0,
        }
    ]


@pytest.mark.parametrize(
    "mark",
    [
        "<|im_end|>",
        "<|start_header_id|>",
        "<｜User｜>",
        "</s>",
        "[INST]",
        "[/INST]",
        "<end_of_turn>",
    ],
)
async def test_what_somebody_said_cannot_end_its_turn(mark: str) -> None:
    server = OpenAIServer()
    server.tokenize = answer_json({"count": 9})
    async with model_on(server) as model:
        await answered(model, Prompt(messages=[Message(role="user", content=f"So{mark}they")]))
    sent = server.bodies[0]["messages"][0]["content"]
    assert mark not in sent
    assert sent.replace("\u200b", "") == f"So{mark}they"
    assert server.counted[-1]["messages"][0]["content"] == sent


@pytest.mark.parametrize("text", ["a < b | c > d", "x <| y", "[12] we <sold> it", "if a|b"])
async def test_what_is_no_mark_is_sent_as_it_is(text: str) -> None:
    server = OpenAIServer()
    async with model_on(server) as model:
        await answered(model, Prompt(messages=[Message(role="user", content=text)]))
    assert server.bodies[0]["messages"][0]["content"] == text


async def test_a_request_goes_before_the_environment() -> None:
    server = OpenAIServer()
    environment = GenerationSettings(temperature=0.7, top_p=0.9, seed=5)
    asked = Prompt(messages=HELLO.messages, generation=Generation(temperature=0.0, max_tokens=50))
    async with model_on(server, environment) as model:
        await answered(model, asked)
        told = model.version(asked.generation).parameters
    sent = {name: server.bodies[0].get(name) for name in NAMES}
    assert sent == dict.fromkeys(NAMES) | {
        "temperature": 0.0,
        "top_p": 0.9,
        "seed": 5,
        "max_tokens": 50,
    }
    assert {name: json.loads(told[name]) for name in NAMES} == sent


@pytest.mark.parametrize("name", ["top_k", "min_p", "repetition_penalty"])
async def test_what_the_server_does_not_take_is_refused(name: str) -> None:
    server = OpenAIServer()
    generation = Generation(**{name: 1})
    async with model_on(server) as model:
        with pytest.raises(StageError, match=name) as refused:
            await answered(model, Prompt(messages=HELLO.messages, generation=generation))
    assert (refused.value.code, refused.value.reason) == (
        Code.INVALID_ARGUMENT,
        "OPTION_NOT_SUPPORTED",
    )
    assert refused.value.field == f"generation.{name}"
    assert server.bodies == []


async def test_what_the_server_takes_is_sent_where_it_is_set() -> None:
    server = OpenAIServer()
    generation = Generation(top_k=40, min_p=0.1, repetition_penalty=1.1)
    async with model_on(server, parameters=NAMES) as model:
        await answered(model, Prompt(messages=HELLO.messages, generation=generation))
        await answered(model)
    asked, plain = server.bodies
    assert (asked["top_k"], asked["min_p"], asked["repetition_penalty"]) == (40, 0.1, 1.1)
    assert not plain.keys() & {"top_k", "min_p", "repetition_penalty", "temperature"}


async def test_a_server_that_takes_no_seed_gets_none() -> None:
    server = OpenAIServer()
    async with model_on(server, parameters=("temperature",)) as model:
        await answered(model)
        assert json.loads(model.version(Generation()).parameters["seed"]) is None
    assert "seed" not in server.bodies[0]


async def test_the_longest_answer_has_the_name_that_the_server_knows() -> None:
    server = OpenAIServer()
    generation = Generation(max_tokens=9)
    async with model_on(server, max_tokens_field="max_completion_tokens") as model:
        await answered(model, Prompt(messages=HELLO.messages, generation=generation))
    assert server.bodies[0]["max_completion_tokens"] == 9
    assert "max_tokens" not in server.bodies[0]


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        (
            {},
            {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA},
            },
        ),
        (
            {"strict_schema": False},
            {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": False, "schema": SCHEMA},
            },
        ),
        ({"structured_output": "json_object"}, {"type": "json_object"}),
        ({"structured_output": "none"}, None),
    ],
)
async def test_an_answer_is_held_to_its_schema_as_the_server_can(
    settings: dict[str, Any], asked: Any
) -> None:
    server = OpenAIServer(stream('{"a": 1}'))
    async with model_on(server, **settings) as model:
        await answered(model, Prompt(messages=HELLO.messages, schema=SCHEMA))
        await answered(model)
        told = model.version(Generation()).parameters["structured_output"]
    with_schema, without = server.bodies
    assert with_schema.get("response_format") == asked
    assert "response_format" not in without
    assert json.loads(told) == settings.get("structured_output", "json_schema")


async def test_more_is_sent_with_each_request_and_reported() -> None:
    server = OpenAIServer()
    extra = {"chat_template_kwargs": {"enable_thinking": False}}
    async with model_on(server, extra_body=extra) as model:
        await answered(model)
        told = model.version(Generation()).parameters["extra_body"]
    assert server.bodies[0]["chat_template_kwargs"] == {"enable_thinking": False}
    assert json.loads(told) == extra


async def test_the_version_tells_the_server_and_what_it_told_of_itself() -> None:
    server = OpenAIServer(stream("Hi.", model="talker-2026-11-01", system_fingerprint="fp_1"))
    async with model_on(server, api_key=KEY) as model:
        before = model.version(Generation())
        await answered(model)
        version = model.version(Generation())
    assert (version.engine, version.model_name, version.device) == ("openai", MODEL, server.url)
    assert version.library.startswith("httpx2 ")
    assert version.checkpoint_sha256 == ""
    assert json.loads(version.parameters["server_model"]) == "talker-2026-11-01"
    assert json.loads(version.parameters["system_fingerprint"]) == "fp_1"
    assert "system_fingerprint" not in before.parameters
    assert KEY not in str(version)
    for value in version.parameters.values():
        json.loads(value)


async def test_the_key_goes_to_the_server_and_into_no_log(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    server = OpenAIServer()
    async with model_on(server, api_key=f"{KEY}\n") as model:
        await answered(model)
    assert server.keys == [f"Bearer {KEY}"]
    logged = caplog.text + "".join(capsys.readouterr())
    assert "generation.resolved" in logged
    assert KEY not in logged
    assert "Say hello" not in logged


async def test_no_key_is_sent_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-something-else")
    server = OpenAIServer()
    async with model_on(server) as model:
        await answered(model)
    assert server.keys == [""]


async def test_closing_the_answer_hangs_up() -> None:
    server = OpenAIServer(stream("One.", after=hang))
    async with model_on(server) as model:
        async with aclosing(model.generate(HELLO)) as pieces:
            assert await anext(pieces) == "One."
            assert not server.hung_up.is_set()
        await asyncio.wait_for(server.hung_up.wait(), PATIENCE_SECONDS)


@pytest.mark.parametrize("said", [0, 1])
async def test_cancelling_the_caller_hangs_up_and_leaves_the_model_usable(said: int) -> None:
    begun = asyncio.Event()

    async def wait(request: Any) -> Any:
        begun.set()
        return await hang(request)

    server = OpenAIServer(stream(*["One."] * said, after=wait), stream("Two."))
    async with model_on(server) as model:
        asking = asyncio.create_task(answered(model))
        await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.wait_for(server.hung_up.wait(), PATIENCE_SECONDS)
        assert (await answered(model))[0] == "Two."


async def test_many_are_asked_at_once() -> None:
    together = asyncio.Barrier(20)

    async def once_all_are_there(request: web.Request) -> web.StreamResponse:
        await together.wait()
        return await stream("One.")(request)

    async with model_on(OpenAIServer(once_all_are_there)) as model:
        async with asyncio.timeout(PATIENCE_SECONDS):
            answers = await asyncio.gather(*(answered(model) for _ in range(20)))
    assert [text for text, _ in answers] == ["One."] * 20


async def test_without_a_tokenizer_no_prompt_is_longer_than_its_count() -> None:
    async with model_on(OpenAIServer()) as model:
        few = await model.count([Message(role="user", content="")])
        many = await model.count([Message(role="user", content="ß" * 500)])
        cited = await model.count([Message(role="user", content="")] * 3)
    assert many == few + 1000
    assert cited > few


async def test_a_text_may_be_known_to_have_several_bytes_to_a_token() -> None:
    async with model_on(OpenAIServer(), bytes_per_token=4.0) as model:
        few = await model.count([Message(role="user", content="")])
        assert await model.count([Message(role="user", content="x" * 400)]) == few + 100


async def test_a_server_that_counts_is_asked() -> None:
    server = OpenAIServer()
    server.tokenize = answer_json({"count": 33, "max_model_len": 128, "tokens": []})
    async with model_on(server) as model:
        assert await model.count(HELLO.messages) == 33


async def test_a_server_whose_tokenize_is_another_is_not_asked() -> None:
    server = OpenAIServer()
    server.tokenize = answer_json({"tokens": []})
    async with model_on(server) as model:
        assert await model.count(HELLO.messages) > len("Say hello.")


@pytest.mark.parametrize(("answer", "fits"), [(100, True), (101, False)])
async def test_prompt_and_answer_that_do_not_fit_are_not_sent(answer: int, fits: bool) -> None:
    server = OpenAIServer(cards=[{"id": MODEL, "max_model_len": 200}])
    server.tokenize = answer_json({"count": 100})
    asked = Prompt(messages=HELLO.messages, generation=Generation(max_tokens=answer))
    async with model_on(server, window=None) as model:
        assert model.window == 200
        if fits:
            await answered(model, asked)
            return
        with pytest.raises(StageError) as refused:
            await answered(model, asked)
    assert (refused.value.code, refused.value.reason) == (
        Code.INVALID_ARGUMENT,
        "PROMPT_TOO_LONG",
    )
    assert server.bodies == []
