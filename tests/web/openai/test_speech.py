"""OpenAI's client for Python, unchanged: text in, speech out while it is made."""

from __future__ import annotations

import base64
import json
from typing import Any

import openai as sdk
import pytest
from openai import AsyncOpenAI

from tests.gateway.conftest import EmptyMesh
from tests.synthesis.flite import needs_flite
from tests.synthesis.mesh import with_voice
from tests.synthesis.test_audio import decoded
from tests.web.conftest import Web, key_of
from tests.web.openai.conftest import client_at

pytestmark = [pytest.mark.mesh, needs_flite]

TEXT = "Hello there. It is half past nine."
LONG = "Many words are spoken here. " * 400


@pytest.fixture(scope="module")
def shared_mesh(shared_mesh: EmptyMesh) -> EmptyMesh:
    """A mesh that speaks."""
    return with_voice(shared_mesh)


@pytest.fixture
async def speaker(shared_web: Web) -> Any:
    """OpenAI's client before it."""
    async with client_at(shared_web.url, await key_of(shared_web.grpc)) as client:
        yield client


@pytest.mark.parametrize(
    ("audio_format", "media_type"),
    [
        ("mp3", "audio/mpeg"),
        ("opus", "audio/ogg"),
        ("flac", "audio/flac"),
        ("wav", "audio/wav"),
    ],
)
async def test_each_format(speaker: AsyncOpenAI, audio_format: Any, media_type: str) -> None:
    made = await speaker.audio.speech.create(
        model="tts-1", voice="alloy", input=TEXT, response_format=audio_format
    )
    samples, rate = decoded(made.content)
    assert made.response.headers["content-type"] == media_type
    assert 2 < len(samples) / rate < 6


async def test_mp3_is_the_default_and_pcm_is_24_khz(speaker: AsyncOpenAI) -> None:
    create = speaker.audio.speech.create
    default = await create(model="gpt-4o-mini-tts", voice="kal16", input=TEXT)
    assert default.response.headers["content-type"] == "audio/mpeg"
    plain = await create(model="flite", voice="kal16", input=TEXT, response_format="pcm")
    samples, rate = decoded(default.content)
    assert len(plain.content) / 48_000 == pytest.approx(len(samples) / rate, abs=0.1)


async def test_speed(speaker: AsyncOpenAI) -> None:
    async def length(speed: float) -> int:
        made = await speaker.audio.speech.create(
            model="tts-1", voice="kal16", input=TEXT, response_format="pcm", speed=speed
        )
        return len(made.content)

    assert await length(2.0) == pytest.approx(await length(1.0) / 2, rel=0.2)


async def test_audio_is_streamed_while_it_is_made(speaker: AsyncOpenAI) -> None:
    create = speaker.audio.speech.with_streaming_response.create
    async with create(model="tts-1", voice="kal16", input=LONG, response_format="pcm") as response:
        parts = response.iter_bytes()
        first = await anext(parts)
        # Twenty minutes of speech have megabytes; a client that leaves ends the work.
        assert 0 < len(first) < 1_000_000
    await test_speed(speaker)


async def _events(speaker: AsyncOpenAI, text: str) -> list[dict[str, Any]]:
    create = speaker.audio.speech.with_streaming_response.create
    async with create(
        model="gpt-4o-mini-tts",
        voice="alloy",
        input=text,
        response_format="wav",
        stream_format="sse",
    ) as response:
        lines = [line async for line in response.iter_lines() if line]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


async def test_events_hold_the_audio(speaker: AsyncOpenAI) -> None:
    events = await _events(speaker, TEXT)
    audio = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert {event["type"] for event in events[:-1]} == {"speech.audio.delta"}
    assert events[-1] == {"type": "speech.audio.done"}
    assert audio.startswith(b"RIFF")


async def test_the_last_event_says_what_was_not_spoken(speaker: AsyncOpenAI) -> None:
    *_, done = await _events(speaker, "Hello there. 你好。 It is half past nine.")
    (sentence,) = done["unspoken"]
    assert (done["type"], done["unspoken_sentences"]) == ("speech.audio.done", 1)
    assert (sentence["text_offset"], sentence["text_length"]) == (13, 3)
    assert sentence["message"]


async def test_audio_without_a_sentence_is_logged(
    speaker: AsyncOpenAI, capsys: pytest.CaptureFixture[str]
) -> None:
    create = speaker.audio.speech.create
    made = await create(model="tts-1", voice="alloy", input="Hello there. 你好。")
    assert made.content
    (line,) = [each for each in capsys.readouterr().out.splitlines() if "speech.unspoken" in each]
    assert "sentences=1" in line


@pytest.mark.parametrize(
    ("how", "status", "param", "code"),
    [
        ({"input": ""}, 400, "input", "text_not_speakable"),
        ({"input": "😀"}, 400, "input", "text_not_speakable"),
        ({"voice": "nobody"}, 400, "voice", "speech_voice_unknown"),
        ({"model": "tts-9"}, 404, "model", "model_not_found"),
        ({"speed": 5}, 400, "speed", "invalid_value"),
        ({"response_format": "aac"}, 400, "response_format", "invalid_value"),
        ({"instructions": "Whisper."}, 400, "instructions", "unsupported_parameter"),
    ],
)
async def test_refusals_have_openais_form(
    speaker: AsyncOpenAI, how: dict[str, Any], status: int, param: str, code: str
) -> None:
    asked: dict[str, Any] = {"model": "tts-1", "voice": "alloy", "input": "Yes.", **how}
    with pytest.raises(sdk.APIStatusError) as raised:
        await speaker.audio.speech.create(**asked)
    error = raised.value
    assert (error.status_code, error.param, error.code) == (status, param, code)


async def test_nobody_speaks_without_a_key(shared_web: Web) -> None:
    async with client_at(shared_web.url, "wrong") as client:
        with pytest.raises(sdk.AuthenticationError):
            await client.audio.speech.create(model="tts-1", voice="alloy", input="Yes.")
