"""What stops a service before it takes work: a wrong address, key, name or setting."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from maie_core.errors import StageError
from maie_llm.openai import OpenAISettings, open_openai
from maie_llm.settings import GenerationSettings
from tests.llm.asking import model_on
from tests.llm.openai_server import KEY, MODEL, OpenAIServer, Reaction, answer_json, refuse

pytestmark = pytest.mark.unit


class TheServices(OpenAISettings):
    model_config = SettingsConfigDict(env_prefix="MAIE_SUMMARY_OPENAI_")


async def refusal(server: OpenAIServer, **settings: Any) -> StageError:
    with pytest.raises(StageError) as caught:
        async with model_on(server, **settings):
            pass
    return caught.value


@pytest.mark.parametrize(
    ("models", "reason"),
    [
        (refuse(401), "MODEL_ACCESS_DENIED"),
        (refuse(404), "MODEL_MISSING"),
        (answer_json({"data": []}), "MODEL_MISSING"),
        (answer_json({"data": None}), "MODEL_MISSING"),
        (answer_json({"hello": 1}), "MODEL_UNAVAILABLE"),
        (answer_json("<html>"), "MODEL_UNAVAILABLE"),
        (refuse(503), "MODEL_UNAVAILABLE"),
    ],
)
async def test_a_server_that_cannot_serve_stops_the_start(models: Reaction, reason: str) -> None:
    server = OpenAIServer()
    server.models = models
    assert (await refusal(server)).reason == reason


async def test_a_wrong_name_is_answered_with_those_that_there_are() -> None:
    error = await refusal(OpenAIServer(cards=[{"id": "b"}, {"id": "a"}]))
    assert (error.code.name, error.reason) == ("FAILED_PRECONDITION", "MODEL_MISSING")
    assert MODEL in error.message
    assert "it has a, b" in error.message


async def test_a_server_that_is_not_there_stops_the_start(
    capsys: pytest.CaptureFixture[str],
) -> None:
    listener = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    listener.close()
    await listener.wait_closed()
    settings = OpenAISettings(base_url=f"http://127.0.0.1:{port}/v1", model=MODEL, window=64)
    with pytest.raises(StageError, match="cannot be reached") as caught:
        async with open_openai(settings, GenerationSettings()):
            pass
    assert caught.value.reason == "MODEL_UNAVAILABLE"
    assert "llm.server_unreachable" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("told", "asked", "expected"), [(128, None, 128), (128, 64, 64), (None, 64, 64)]
)
async def test_the_window_is_the_servers_or_the_settings(
    told: int | None, asked: int | None, expected: int
) -> None:
    server = OpenAIServer(cards=[{"id": MODEL, "max_model_len": told}])
    async with model_on(server, window=asked) as model:
        assert model.window == expected
        assert model.vram_bytes == 0


@pytest.mark.parametrize(("told", "asked"), [(None, None), (128, 129)])
async def test_a_window_that_nobody_knows_or_has_stops_the_start(
    told: int | None, asked: int | None
) -> None:
    error = await refusal(OpenAIServer(cards=[{"id": MODEL, "max_model_len": told}]), window=asked)
    assert (error.code.name, error.reason) == ("FAILED_PRECONDITION", "MODEL_WINDOW_INVALID")
    assert "WINDOW" in error.message


@pytest.mark.parametrize("name", ["base_url", "model"])
async def test_what_is_not_set_is_named_as_it_is_set(name: str) -> None:
    given: dict[str, Any] = {"base_url": "http://127.0.0.1:9/v1", "model": MODEL, name: ""}
    with pytest.raises(StageError, match=f"set MAIE_SUMMARY_OPENAI_{name.upper()}"):
        async with open_openai(TheServices(**given), GenerationSettings()):
            pass


async def test_generation_settings_that_the_server_does_not_take_stop_the_start() -> None:
    with pytest.raises(StageError, match="top_k") as caught:
        async with model_on(OpenAIServer(), GenerationSettings(top_k=5)):
            pass
    assert caught.value.reason == "OPTION_NOT_SUPPORTED"


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "127.0.0.1:8000/v1"},
        {"base_url": "ftp://somewhere/v1"},
        {"base_url": "http://user:password@somewhere/v1"},
        {"base_url": "http://somewhere/v1?key=1"},
        {"api_key": "two\nlines"},
        {"api_key": "schlüssel"},
        {"extra_body": {"messages": []}},
        {"parameters": ["logit_bias"]},
        {"window": 0},
    ],
)
def test_settings_that_cannot_be_used_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OpenAISettings(**wrong)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIE_SUMMARY_OPENAI_BASE_URL", "http://127.0.0.1:8000/v1/")
    monkeypatch.setenv("MAIE_SUMMARY_OPENAI_API_KEY", KEY)
    monkeypatch.setenv("MAIE_SUMMARY_OPENAI_PARAMETERS", '["temperature", "top_k"]')
    monkeypatch.setenv("MAIE_SUMMARY_OPENAI_EXTRA_BODY", '{"reasoning_effort": "low"}')
    settings = TheServices()
    assert settings.base_url == "http://127.0.0.1:8000/v1"
    assert settings.parameters == ("temperature", "top_k")
    assert settings.extra_body == {"reasoning_effort": "low"}
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == KEY
    assert KEY not in repr(settings)
