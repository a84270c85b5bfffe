"""Deepgram's clients, unchanged: live speech over a WebSocket."""

from __future__ import annotations

import asyncio
import hashlib
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from deepgram import AsyncDeepgramClient
from deepgram.core.api_error import ApiError
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from maie.access.v1 import access_pb2 as access
from maie_client import Client
from tests.conftest import broker  # noqa: F401 - a fixture
from tests.gateway.live.conftest import live_mesh, shared_live_mesh  # noqa: F401 - fixtures
from tests.gateway.live.speech import interleaved, pause, pieces, said, word
from tests.waiting import PATIENCE_SECONDS
from tests.web.conftest import Web, key_of, web_before
from tests.web.deepgram.conftest import client_at
from tests.web.live.conftest import live_web as live_web
from tests.web.node import run_node

pytestmark = [
    pytest.mark.mesh,
    # Deepgram's client names what its websockets calls something else.
    pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning"),
]

PCM: dict[str, Any] = {"model": "nova-3", "encoding": "linear16", "sample_rate": 16_000}
PROGRAM = Path(__file__).with_name("client.mjs")


class Talk:
    """A connection, whose messages are kept as they come."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.messages: list[Any] = []

    async def speak(self, sound: bytes) -> None:
        """Sends sound."""
        for piece in pieces(sound):
            await self.socket.send_media(piece)

    async def next(self, kind: str, **fields: Any) -> Any:
        """Waits for a message of a kind with these fields."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                message = await self.socket.recv()
                self.messages.append(message)
                if message.type == kind and all(
                    getattr(message, name) == value for name, value in fields.items()
                ):
                    return message

    async def final(self) -> str:
        """Waits for the next final."""
        return text_of(await self.next("Results", is_final=True))


def text_of(message: Any) -> str:
    """The text of a message."""
    text: str = message.channel.alternatives[0].transcript
    return text


@pytest.fixture
async def key(live_web: Web) -> str:
    """An API key of a tenant of the test's own."""
    return await key_of(live_web.grpc, tenant=uuid4().hex)


@pytest.fixture
async def deepgram(live_web: Web, key: str) -> AsyncIterator[AsyncDeepgramClient]:
    """Deepgram's client for Python."""
    async with client_at(live_web.url, key) as client:
        yield client


@asynccontextmanager
async def talking(client: AsyncDeepgramClient, **options: Any) -> AsyncIterator[Talk]:
    """A connection."""
    async with client.listen.v1.connect(**PCM | options) as socket:
        yield Talk(socket)


async def test_words_arrive_and_the_stream_ends_with_its_metadata(
    deepgram: AsyncDeepgramClient, live_web: Web, key: str
) -> None:
    sound = said([1, 2])
    async with talking(deepgram, vad_events="true", interim_results="false") as talk:
        await talk.speak(sound)
        first = await talk.next("Results", is_final=True)
        assert (text_of(first), first.speech_final, first.from_finalize) == ("w1", True, False)
        # The engine looks at 20 ms.
        assert abs(first.start - 0.1) <= 0.02
        assert abs(first.duration - 0.4) <= 0.04
        (spoken,) = first.channel.alternatives[0].words
        assert (spoken.word, spoken.start) == ("w1", first.start)
        assert first.channel_index == [0, 1]
        assert talk.messages[0].type == "SpeechStarted"
        assert abs(talk.messages[0].timestamp - 0.1) <= 0.02
        await talk.socket.send_keep_alive()
        assert await talk.final() == "w2"
        await talk.socket.send_close_stream()
        metadata = await talk.next("Metadata")
        assert metadata.sha256 == hashlib.sha256(sound).hexdigest()
        assert abs(metadata.duration - len(sound) / 32_000) < 0.01
        assert metadata.request_id == first.metadata.request_id
        with pytest.raises(ConnectionClosed) as closed:
            await talk.socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000
    acme = live_web.grpc.acting(token=key)
    while [each async for each in acme.list_jobs()]:
        pass


async def test_finalize_gives_what_was_said_so_far(deepgram: AsyncDeepgramClient) -> None:
    async with talking(deepgram, interim_results="true") as talk:
        await talk.speak(pause(0.1) + word(1))
        interim = await talk.next("Results", is_final=False)
        assert text_of(interim) == "w"
        await talk.socket.send_finalize()
        final = await talk.next("Results", is_final=True)
        assert (text_of(final), final.from_finalize) == ("w1", True)
        assert not final.speech_final


async def test_an_utterance_ends_when_nobody_speaks(deepgram: AsyncDeepgramClient) -> None:
    async with talking(deepgram, interim_results="true", utterance_end_ms=1000) as talk:
        await talk.speak(said([1]))
        assert await talk.final() == "w1"
        ended = await talk.next("UtteranceEnd")
        assert ended.channel == [0, 1]
        assert abs(ended.last_word_end - 0.5) <= 0.02


async def test_without_endpointing_no_final_is_called_the_end_of_speech(
    deepgram: AsyncDeepgramClient,
) -> None:
    async with talking(deepgram, endpointing="false") as talk:
        await talk.speak(said([1]))
        assert not (await talk.next("Results", is_final=True)).speech_final


async def test_each_channel_by_itself(deepgram: AsyncDeepgramClient) -> None:
    async with talking(deepgram, channels=2, multichannel="true") as talk:
        both = interleaved(said([1]), said([2]))
        for piece in pieces(both, rate=32_000):
            await talk.socket.send_media(piece)
        found: dict[tuple[int, ...], str] = {}
        while len(found) < 2:
            message = await talk.next("Results", is_final=True)
            found[tuple(message.channel_index)] = text_of(message)
        assert found == {(0, 2): "w1", (1, 2): "w2"}


async def test_audio_may_be_cut_within_a_sample(deepgram: AsyncDeepgramClient) -> None:
    async with talking(deepgram) as talk:
        sound = said([1])
        for start in range(0, len(sound), 1001):
            await talk.socket.send_media(sound[start : start + 1001])
        assert await talk.final() == "w1"


async def test_a_message_that_cannot_be_read_is_answered(deepgram: AsyncDeepgramClient) -> None:
    async with talking(deepgram) as talk:
        for wrong in ("garbage", "[]", "{}", '{"type": "Configure"}'):
            await talk.socket._send(wrong)
            assert (await talk.next("Error")).variant == "SchemaError"
        await talk.speak(said([1]))
        assert await talk.final() == "w1"


async def test_audio_that_is_no_known_container_closes_the_stream(
    deepgram: AsyncDeepgramClient,
) -> None:
    async with deepgram.listen.v1.connect(model="nova-3") as socket:
        await socket.send_media(said([1]))
        error = await Talk(socket).next("Error")
        assert error.variant == "AUDIO_FORMAT_INVALID"
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"diarize": "true"}, 400),
        ({"encoding": "amr-nb"}, 400),
        ({"endpointing": 9000}, 400),
        ({"utterance_end_ms": 10}, 400),
        ({"model": "nova-9"}, 404),
    ],
)
async def test_what_cannot_be_done_refuses_the_handshake(
    deepgram: AsyncDeepgramClient, options: dict[str, Any], status: int
) -> None:
    with pytest.raises(ApiError) as error:
        async with talking(deepgram, **options):
            pass
    assert error.value.status_code == status


async def test_a_browser_shows_its_key_as_a_subprotocol(live_web: Web, key: str) -> None:
    reader = await live_web.grpc.keys.create(tenant="acme", scopes=[access.SCOPE_READ])
    async with web_before(live_web.grpc, local_user=False) as strict:
        address = strict.url.replace("http", "ws", 1) + "/v1/listen?encoding=linear16"
        for shown, status in ((key, 0), ("maie_wrong", 401), (reader.api_key, 403)):
            offered: Any = ["token", shown]
            if not status:
                async with connect(address, subprotocols=offered, proxy=None) as socket:
                    assert socket.subprotocol == "token"
                continue
            with pytest.raises(InvalidStatus) as refused:
                await connect(address, subprotocols=offered, proxy=None)
            assert refused.value.response.status_code == status
            body = json.loads(refused.value.response.body)
            assert set(body) == {"err_code", "err_msg", "request_id", "reason"}


async def test_what_is_stored_is_a_job_of_its_tenant_alone(live_web: Web, key: str) -> None:
    address = live_web.url.replace("http", "ws", 1) + "/v1/listen?encoding=linear16&store=true"
    shown = {"authorization": f"Token {key}"}
    async with connect(address, additional_headers=shown, proxy=None) as socket:
        for piece in pieces(said([1])):
            await socket.send(piece)
        await socket.send('{"type": "CloseStream"}')
        messages = [json.loads(each) async for each in socket]
    request = messages[-1]["request_id"]
    acme = live_web.grpc.acting(token=key)
    assert (await acme.get_job(request)).labels["api"] == "deepgram"
    other: Client = live_web.grpc.acting(tenant="other")
    assert [each async for each in other.list_jobs()] == []


async def test_the_client_for_javascript_works_unchanged(live_web: Web, key: str) -> None:
    sound = b64encode(said([1])).decode()
    options = json.dumps({"model": "nova-3", "encoding": "linear16", "sample_rate": 16_000})
    got = await run_node(PROGRAM, "stream", live_web.url, key, options, sound)
    finals = [each for each in got["result"] if each["type"] == "Results" and each["is_final"]]
    assert [each["channel"]["alternatives"][0]["transcript"] for each in finals] == ["w1"]
    assert got["result"][-1]["type"] == "Metadata"
