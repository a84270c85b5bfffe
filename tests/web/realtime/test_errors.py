"""What the realtime API refuses, and how; most errors leave the connection open."""

from __future__ import annotations

from typing import Any

import pytest
from openai import AsyncOpenAI
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from maie.access.v1 import access_pb2 as access
from tests.gateway.live.speech import pause, word
from tests.web.conftest import Web, web_before
from tests.web.openai.conftest import client_at
from tests.web.realtime.conftest import MANUAL, RATE, Talk, talking

pytestmark = pytest.mark.mesh


async def error(talk: Talk) -> tuple[str, str | None]:
    """The next error: its code and parameter."""
    while (event := await talk.connection.recv()).type != "error":
        pass
    assert event.error.message.endswith(".")
    assert event.error.type == "invalid_request_error"
    return event.error.code, event.error.param


def audio_input(**fields: Any) -> dict[str, Any]:
    """An update of a session."""
    return {
        "type": "session.update",
        "session": {"type": "transcription", "audio": {"input": fields}},
    }


WRONG: list[tuple[Any, tuple[str, str | None]]] = [
    ("garbage", ("request_unreadable", None)),
    ("[]", ("request_unreadable", None)),
    ({}, ("invalid_value", "type")),
    ({"type": ["session.update"]}, ("invalid_value", "type")),
    ({"type": "response.create"}, ("invalid_value", "type")),
    ({"type": "transcription_session.update", "session": {}}, ("invalid_value", "type")),
    ({"type": "session.update"}, ("invalid_value", "session")),
    ({"type": "session.update", "session": {"type": "realtime"}}, ("invalid_value", "type")),
    ({"type": "input_audio_buffer.append"}, ("invalid_value", "audio")),
    ({"type": "input_audio_buffer.append", "audio": "!"}, ("invalid_value", "audio")),
    (audio_input(colour="red"), ("invalid_value", "colour")),
    (audio_input(transcription=None), ("unsupported_parameter", "transcription")),
    (audio_input(transcription={"model": "gpt-4o"}), ("model_not_found", "model")),
    (
        audio_input(transcription={"languages": ["en", "de"]}),
        ("unsupported_parameter", "languages"),
    ),
    (audio_input(transcription={"language": "!"}), ("invalid_value", "language")),
    (audio_input(turn_detection={"threshold": 1.0}), ("invalid_value", "threshold")),
    (
        audio_input(turn_detection={"silence_duration_ms": 9}),
        ("invalid_value", "silence_duration_ms"),
    ),
    (audio_input(format={"type": "audio/mp3"}), ("invalid_value", "type")),
    (
        {
            "type": "session.update",
            "session": {"type": "transcription", "include": ["item.x.logprobs"]},
        },
        ("invalid_value", "include"),
    ),
]


async def test_what_is_wrong_is_answered_and_the_connection_stays(talk: Talk) -> None:
    for sent, expected in WRONG:
        await (
            talk.connection.send_raw(sent) if isinstance(sent, str) else talk.connection.send(sent)
        )
        assert await error(talk) == expected, sent
    await talk.connection.session.update(session=MANUAL)
    await talk.next("session.updated")


async def test_a_commit_of_an_empty_buffer_is_an_error(talk: Talk) -> None:
    for sound in (b"", pause(0.05, RATE)):
        if sound:
            await talk.append(sound)
        await talk.connection.input_audio_buffer.commit(event_id="mine")
        while (event := await talk.connection.recv()).type != "error":
            pass
        assert event.error.code == "input_audio_buffer_commit_empty"
        assert event.error.event_id == "mine"
    await talk.append(pause(0.1, RATE) + word(1, rate=RATE))
    await talk.connection.input_audio_buffer.commit()
    assert await talk.texts(1) == ["w1"]


async def test_what_would_mix_two_formats_waits_for_a_commit(talk: Talk) -> None:
    await talk.update(turn_detection=None)
    await talk.append(word(1, rate=RATE))
    for changed in ({"format": {"type": "audio/pcmu"}}, {"turn_detection": {"type": "server_vad"}}):
        await talk.connection.send(audio_input(**changed))
        assert (await error(talk))[0] == "stream_out_of_order"
    await talk.connection.input_audio_buffer.commit()
    assert await talk.texts(1) == ["w1"]
    await talk.update(format={"type": "audio/pcmu"}, turn_detection={"type": "server_vad"})


async def refusal(client: AsyncOpenAI, query: dict[str, str]) -> tuple[str, int]:
    """The code of the error that ends a connection, and that of the close."""
    async with client.realtime.connect(extra_query=query) as connection:
        event: Any = await connection.recv()
        assert event.type == "error"
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
    assert closed.value.rcvd is not None
    return event.error.code, closed.value.rcvd.code


async def test_a_connection_that_cannot_be_had(openai: AsyncOpenAI, live_web: Web) -> None:
    assert await refusal(openai, {"model": "gpt-4o"}) == ("model_not_found", 4404)
    assert await refusal(openai, {"intent": "chat"}) == ("unsupported_parameter", 4400)
    assert await refusal(openai, {"call_id": "1"}) == ("unsupported_parameter", 4400)
    async with client_at(live_web.url, "maie_wrong") as stranger:
        assert await refusal(stranger, {}) == ("invalid_api_key", 3000)
    made = await live_web.grpc.keys.create(tenant="acme", scopes=[access.SCOPE_READ])
    async with client_at(live_web.url, made.api_key) as reader:
        assert await refusal(reader, {}) == ("scope_missing", 4403)


async def test_a_browser_shows_its_key_as_a_subprotocol(live_web: Web, key: str) -> None:
    async with web_before(live_web.grpc, local_user=False) as strict:
        address = strict.url.replace("http", "ws", 1) + "/v1/realtime"
        offered: Any = ["realtime", f"openai-insecure-api-key.{key}", "openai-beta.realtime-v1"]
        async with connect(address, subprotocols=offered, proxy=None) as socket:
            assert socket.subprotocol == "realtime"
            assert "transcription_session.created" in str(await socket.recv())


async def test_another_tenant_sees_nothing_of_it(openai: AsyncOpenAI, live_web: Web) -> None:
    async with talking(openai, {"store": "true"}) as talk:
        session = talk.events[0].session.id
    other = await live_web.grpc.keys.create(tenant="other", scopes=[access.SCOPE_READ])
    shown = await live_web.http.get(
        f"/v1/jobs/{session}", headers={"authorization": f"Bearer {other.api_key}"}
    )
    assert shown.status_code == 404
