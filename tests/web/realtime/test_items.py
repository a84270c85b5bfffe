"""Speech becomes items, by the server's turns and by the client's commits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from openai import AsyncOpenAI

from maie_client import Client
from tests.chaos.silence import SilentProxy
from tests.gateway.live.conftest import LiveMesh
from tests.gateway.live.speech import pause, said, word
from tests.waiting import until
from tests.web.conftest import Web, key_of, web_before
from tests.web.openai.conftest import client_at
from tests.web.realtime.conftest import RATE, Talk, talking

pytestmark = pytest.mark.mesh

TRANSCRIPTION = "conversation.item.input_audio_transcription"


def spoken(*words: int, rate: int = RATE) -> bytes:
    """Words with pauses around them."""
    return pause(0.1, rate) + b"".join(word(each, rate=rate) + pause(0.3, rate) for each in words)


async def test_each_turn_is_an_item_with_times_and_text(talk: Talk) -> None:
    created = talk.events[0].session
    assert created.type == "transcription"
    assert created.audio.input.turn_detection.type == "server_vad"
    await talk.append(spoken(1, 2))
    assert await talk.texts(2) == ["w1", "w2"]
    assert [each for each in talk.kinds() if not each.endswith(".delta")] == [
        "session.created",
        *(
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            f"{TRANSCRIPTION}.completed",
        )
        * 2,
    ]
    items = [each for each in talk.events if each.type == "input_audio_buffer.committed"]
    assert [each.previous_item_id for each in items] == [None, items[0].item_id]
    starts = [each for each in talk.events if each.type == "input_audio_buffer.speech_started"]
    assert [each.item_id for each in starts] == [each.item_id for each in items]
    # 0.1 s of silence, then a word of 0.4 s and a pause of 0.3 s; the engine looks at 20 ms.
    assert [
        abs(each.audio_start_ms - at) <= 20 for each, at in zip(starts, (100, 800), strict=True)
    ]
    done = talk.events[-1]
    assert done.usage.type == "duration"
    assert abs(done.usage.seconds - 0.4) < 0.05
    assert len({each.event_id for each in talk.events}) == len(talk.events)


async def test_deltas_make_up_the_text(talk: Talk) -> None:
    await talk.append(word(1, rate=RATE))
    await talk.next(f"{TRANSCRIPTION}.delta")
    await talk.append(pause(0.3, RATE))
    await talk.texts(1)
    deltas = [each.delta for each in talk.events if each.type == f"{TRANSCRIPTION}.delta"]
    assert deltas == ["w", "1"]


async def test_commits_are_items_whoever_spoke_in_them(talk: Talk) -> None:
    await talk.update(turn_detection=None)
    sounds = [spoken(1, 2), pause(0.5, RATE), spoken(2), word(1, rate=RATE)]
    for sound in sounds:
        await talk.append(sound)
        await talk.connection.input_audio_buffer.commit()
    done: dict[str, str] = {}
    while len(done) < len(sounds):
        event = await talk.next(f"{TRANSCRIPTION}.completed")
        done[event.item_id] = event.transcript
    committed = [each for each in talk.events if each.type == "input_audio_buffer.committed"]
    assert [done[each.item_id] for each in committed] == ["w1 w2", "", "w2", "w1"]
    assert "input_audio_buffer.speech_started" not in talk.kinds()


async def test_what_is_cleared_is_no_item(talk: Talk) -> None:
    await talk.update(turn_detection=None)
    await talk.append(spoken(1))
    await talk.connection.input_audio_buffer.clear()
    await talk.next("input_audio_buffer.cleared")
    await talk.append(spoken(2))
    await talk.connection.input_audio_buffer.commit()
    assert await talk.texts(1) == ["w2"]
    await talk.update(turn_detection={"type": "server_vad"})
    await talk.append(word(2, rate=RATE))
    await talk.next("input_audio_buffer.speech_started")
    await talk.connection.input_audio_buffer.clear()
    await talk.next("input_audio_buffer.cleared")
    await talk.append(spoken(1))
    assert await talk.texts(1) == ["w1"]


async def test_a_commit_ends_a_turn_early(talk: Talk) -> None:
    await talk.append(pause(0.1, RATE) + word(1, rate=RATE))
    await talk.connection.input_audio_buffer.commit()
    assert await talk.texts(1) == ["w1"]
    # Without speech the item is empty.
    await talk.append(pause(0.2, RATE))
    await talk.connection.input_audio_buffer.commit()
    assert await talk.texts(1) == [""]
    await talk.append(spoken(2))
    assert await talk.texts(1) == ["w2"]
    start = [each for each in talk.events if each.type == "input_audio_buffer.speech_started"][-1]
    assert abs(start.audio_start_ms - 800) <= 20


async def test_options_reach_the_engine(live_mesh: LiveMesh) -> None:
    async with (
        live_mesh.running() as (address, replica),
        Client(address) as client,
        web_before(client) as web,
        client_at(web.url, await key_of(client)) as openai,
        talking(openai) as talk,
    ):
        shown = await talk.update(
            transcription={"model": "whisper-1", "language": "de", "keywords": ["maie"]},
            turn_detection={
                "type": "server_vad",
                "threshold": 0.4,
                "silence_duration_ms": 700,
                "prefix_padding_ms": 300,
            },
            noise_reduction={"type": "near_field"},
        )
        assert shown.audio.input.transcription.language == "de"
        assert shown.audio.input.noise_reduction is None
        await talk.append(spoken(1))
        await talk.texts(1)
        options = replica.asr.configs[0].options
        assert options.transcribe.language_code == "de"
        assert list(options.transcribe.hotwords) == ["maie"]
        assert options.turns.threshold == 0.4
        assert options.turns.min_silence.ToMilliseconds() == 700


def mulaw(sound: bytes) -> bytes:
    """Sound in mu-law (G.711): sign, exponent and mantissa of each sample, inverted."""
    samples = np.frombuffer(sound, "<i2").astype(int)
    magnitude = np.minimum(abs(samples), 32_635) + 132
    exponent = np.floor(np.log2(magnitude)).astype(int) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    sign = np.where(samples < 0, 128, 0)
    return (~(sign | (exponent << 4) | mantissa) & 255).astype(np.uint8).tobytes()


async def test_telephones_speak_too(talk: Talk) -> None:
    shown = await talk.update(format={"type": "audio/pcmu"})
    assert shown.audio.input.format.type == "audio/pcmu"
    await talk.append(mulaw(spoken(1, 2, rate=8_000)), rate=4_000)
    assert all(await talk.texts(2))
    # Between turns another format may follow.
    await talk.update(format={"type": "audio/pcm", "rate": 16_000})
    await talk.append(said([3]), rate=16_000)
    assert await talk.texts(1) == ["w3"]


@pytest.mark.parametrize("store", [False, True])
async def test_nothing_stays_unless_it_is_asked_for(
    openai: AsyncOpenAI, acme: Client, store: bool
) -> None:
    query = {"intent": "transcription"} | ({"store": "true"} if store else {})
    async with talking(openai, query) as talk:
        session = talk.events[0].session.id
        await talk.append(spoken(1))
        assert await talk.texts(1) == ["w1"]

    async def kept() -> list[str]:
        return [each.job_id async for each in acme.list_jobs()]

    jobs = [session]
    while jobs != ([session] if store else []):
        jobs = await kept()
    if store:
        found = await acme.get_job(session)
        assert found.labels["api"] == "openai"


async def test_a_call_of_the_gateway_that_breaks_loses_no_text(live_mesh: LiveMesh) -> None:
    async with (
        live_mesh.running() as (address, _),
        SilentProxy(address) as proxy,
        Client(proxy.address) as client,
        web_before(client) as web,
        client_at(web.url, await key_of(client)) as openai,
        talking(openai) as talk,
    ):
        await talk.update(turn_detection=None)
        await talk.append(spoken(1))
        proxy.hang_up()
        await talk.append(spoken(2))
        await talk.connection.input_audio_buffer.commit()
        assert await talk.texts(1) == ["w1 w2"]


async def test_the_beta_spells_it_otherwise(openai: AsyncOpenAI, live_web: Web) -> None:
    base: Any = live_web.url.replace("http", "ws", 1) + "/v1"
    async with openai.with_options(websocket_base_url=base).beta.realtime.connect(
        model="whisper-1", extra_query={"intent": "transcription"}
    ) as connection:
        talk = Talk(connection)
        await talk.next("transcription_session.created")
        await connection.transcription_session.update(
            session={
                "input_audio_format": "pcm16",
                "input_audio_transcription": {"model": "whisper-1", "language": "en"},
                "input_audio_noise_reduction": {"type": "near_field"},
                "turn_detection": {"type": "server_vad", "silence_duration_ms": 300},
            }
        )
        updated = (await talk.next("transcription_session.updated")).session
        assert updated.input_audio_format == "pcm16"
        assert updated.input_audio_transcription.language == "en"
        await talk.append(spoken(1))
        assert await talk.texts(1) == ["w1"]
        assert "conversation.item.created" in talk.kinds()
        assert "conversation.item.added" not in talk.kinds()


async def test_a_web_part_that_stops_closes_with_a_code_to_come_back(live_web: Web) -> None:
    key = await key_of(live_web.grpc)
    async with web_before(live_web.grpc) as stopping, client_at(stopping.url, key) as openai:
        manager = talking(openai)
        talk = await manager.__aenter__()
    closed = talk.connection._connection
    await until(lambda: closed.close_code is not None)
    assert closed.close_code == 1012
    await manager.__aexit__(None, None, None)
