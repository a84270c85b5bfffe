"""Deepgram's clients, unchanged: recordings in, text out, and nothing left."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from deepgram import AsyncDeepgramClient
from deepgram.core.api_error import ApiError

from maie.job.v1 import job_pb2 as job
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_client import Client
from tests.empty_stages import EmptyStage, empty_stages
from tests.gateway.conftest import EmptyMesh
from tests.gateway.fetching.origin import LOOPBACK, Origin, answer
from tests.web.conftest import Web, key_of
from tests.web.deepgram.conftest import client_at
from tests.web.node import run_node
from tests.web.two_words import two_words

pytestmark = [
    pytest.mark.mesh,
    # Deepgram's client names what its websockets calls something else.
    pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning"),
]

AUDIO = b"RIFF\0\0\0\0WAVE" + bytes(range(256)) * 40
PROGRAM = Path(__file__).with_name("client.mjs")


@pytest.fixture
def empty_mesh(empty_mesh: EmptyMesh) -> EmptyMesh:
    """Stages that say two words."""
    stages = empty_stages()
    stages["asr"] = EmptyStage(answer=two_words("Hello", "there."))
    empty_mesh.stages = stages
    empty_mesh.gateway_options["fetch"] = LOOPBACK
    return empty_mesh


@pytest.fixture
async def deepgram(web: Web, key: str) -> AsyncIterator[AsyncDeepgramClient]:
    """Deepgram's client for Python."""
    async with client_at(web.url, key) as client:
        yield client


async def _jobs(client: Client) -> list[job.Job]:
    return [each async for each in client.list_jobs()]


async def test_a_recording_becomes_text_with_words(
    deepgram: AsyncDeepgramClient, acme: Client
) -> None:
    got: Any = await deepgram.listen.v1.media.transcribe_file(request=AUDIO, model="nova-3")
    (channel,) = got.results.channels
    best = channel.alternatives[0]
    assert (best.transcript, best.confidence) == ("Hello there.", 0.5)
    assert [(each.word, each.start, each.end) for each in best.words] == [
        ("hello", 0.0, 0.4),
        ("there", 0.5, 0.9),
    ]
    assert best.words[1].punctuated_word == "there."
    assert got.metadata.sha256 == hashlib.sha256(AUDIO).hexdigest()
    assert got.metadata.duration == 10.0
    assert got.metadata.models == ["empty"]
    assert got.results.utterances is None
    assert await _jobs(acme) == []


async def test_paragraphs_utterances_and_the_language(deepgram: AsyncDeepgramClient) -> None:
    got: Any = await deepgram.listen.v1.media.transcribe_file(
        request=AUDIO,
        model="nova-3",
        smart_format=True,
        utterances=True,
        detect_language=True,
        diarize=False,
        tag="mine",
    )
    (channel,) = got.results.channels
    paragraphs = channel.alternatives[0].paragraphs
    assert paragraphs.transcript == "Hello there."
    assert paragraphs.paragraphs[0].sentences[0].text == "Hello there."
    assert paragraphs.paragraphs[0].num_words == 2
    assert channel.detected_language == "de-CH"
    assert [each.transcript for each in got.results.utterances] == ["Hello there."]


async def test_what_is_asked_for_reaches_the_mesh(
    deepgram: AsyncDeepgramClient, acme: Client
) -> None:
    await deepgram.listen.v1.media.transcribe_file(
        request=AUDIO,
        model="nova-3",
        language="de",
        punctuate=True,
        multichannel=True,
        keyterm=["maie"],
        keywords=["mesh:2"],
        request_options={"additional_query_parameters": {"store": "true"}},
    )
    (kept,) = await _jobs(acme)
    config = (await acme.get_job(kept.job_id)).config
    assert config.asr_options.language_code == "de"
    assert list(config.asr_options.hotwords) == ["maie", "mesh"]
    assert config.recording_options.channels == preprocess.CHANNEL_MODE_SPLIT
    assert list(config.features) == [job.FEATURE_CLEAN_TRANSCRIPT]
    assert config.labels["api"] == "deepgram"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"model": "nova-9"}, (404, "Not Found", "MODEL_UNKNOWN")),
        ({"diarize_model": "v1"}, (400, "Bad Request", "FIELD_INVALID")),
        ({"redact": "pci"}, (400, "Bad Request", "OPTION_NOT_SUPPORTED")),
        ({"callback": "https://example.com"}, (400, "Bad Request", "OPTION_NOT_SUPPORTED")),
        ({"encoding": "linear16"}, (400, "Bad Request", "FIELD_INVALID")),
        ({"language": "!"}, (400, "Bad Request", "LANGUAGE_INVALID")),
    ],
)
async def test_what_cannot_be_done_is_refused(
    shared_web: Web, options: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    key = await key_of(shared_web.grpc)
    asked = {"model": "nova-3"} | options
    async with client_at(shared_web.url, key) as deepgram:
        with pytest.raises(ApiError) as error:
            await deepgram.listen.v1.media.transcribe_file(request=AUDIO, **asked)
    body = error.value.body
    assert (error.value.status_code, body["err_code"], body["reason"]) == expected
    assert body["err_msg"].endswith(".")
    assert body["request_id"]
    assert await _jobs(shared_web.grpc.acting(token=key)) == []


async def test_a_recording_at_a_url_is_fetched(
    deepgram: AsyncDeepgramClient, acme: Client, web: Web, key: str
) -> None:
    async with Origin(answers={"/a.wav": answer(AUDIO)}).running() as origin:
        ask = deepgram.listen.v1.media.transcribe_url
        got: Any = await ask(url=origin.url("/a.wav"), model="nova-3")
        assert got.results.channels[0].alternatives[0].transcript == "Hello there."
        assert got.metadata.sha256 == hashlib.sha256(AUDIO).hexdigest()
        with pytest.raises(ApiError) as error:
            await ask(url=origin.url("/none"), model="nova-3")
        assert (error.value.status_code, error.value.body["reason"]) == (422, "FETCH_NOT_FOUND")
        with pytest.raises(ApiError) as error:
            await ask(url="http://169.254.169.254/latest/meta-data", model="nova-3")
        assert (error.value.status_code, error.value.body["reason"]) == (400, "URI_NOT_ALLOWED")
    headers = {"authorization": f"Token {key}", "content-type": "application/json"}
    for body in (b"", b"{", b"[]", b'{"url": 5}', b'{"url": "x", "more": 1}', b" " * 100_000):
        refused = await web.http.post("/v1/listen?model=nova-3", content=body, headers=headers)
        assert (refused.status_code // 100, refused.json()["reason"][:8]) == (4, "REQUEST_")
    assert await _jobs(acme) == []


async def test_a_wrong_key_is_refused(shared_web: Web) -> None:
    async with client_at(shared_web.url, "maie_wrong") as stranger:
        with pytest.raises(ApiError) as error:
            await stranger.listen.v1.media.transcribe_file(request=AUDIO, model="nova-3")
    assert error.value.status_code == 401
    assert error.value.body["err_code"] == "INVALID_AUTH"


async def test_the_client_for_javascript_works_unchanged(web: Web, key: str) -> None:
    got = await run_node(PROGRAM, "recording", web.url, key, json.dumps({"model": "nova-3"}))
    assert (
        got["result"]["results"]["channels"][0]["alternatives"][0]["transcript"] == "Hello there."
    )
    got = await run_node(PROGRAM, "recording", web.url, key, json.dumps({"model": "nova-9"}))
    assert (got["error"]["status"], got["error"]["body"]["err_code"]) == (404, "Not Found")
