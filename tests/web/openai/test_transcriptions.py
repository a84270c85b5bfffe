"""OpenAI's client for Python, unchanged: recordings in, text out, and nothing left."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import httpx
import openai as sdk
import pytest
from openai import AsyncOpenAI

from maie.asr.v1 import asr_pb2 as asr
from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import EmptyStage, Gate, empty_stages
from tests.gateway.conftest import EmptyMesh
from tests.waiting import until
from tests.web.conftest import Web, key_of, web_before
from tests.web.openai.conftest import FILE, client_at
from tests.web.two_words import two_words

pytestmark = pytest.mark.mesh

WORDS = ("hello", "there")


@pytest.fixture
def empty_mesh(empty_mesh: EmptyMesh) -> EmptyMesh:
    """Stages that say two words; the options of an engine that takes all."""
    return _of_two_words(empty_mesh)


@pytest.fixture(scope="module")
def shared_mesh(shared_mesh: EmptyMesh) -> EmptyMesh:
    """The same."""
    return _of_two_words(shared_mesh)


def _of_two_words(mesh: EmptyMesh) -> EmptyMesh:
    mesh.stages = empty_stages()
    able = ("translation", "decoding_options", "word_time_offsets")
    mesh.stages["asr"] = EmptyStage(answer=two_words(*WORDS), capabilities=able)
    return mesh


async def _jobs(client: Client) -> list[job.Job]:
    return [each async for each in client.list_jobs()]


async def test_each_format(openai: AsyncOpenAI, acme: Client) -> None:
    create = openai.audio.transcriptions.create
    plain = await create(file=FILE, model="whisper-1")
    assert plain.text == "hello there"
    assert plain.usage is not None
    assert plain.usage.to_dict() == {"type": "duration", "seconds": 10.0}
    assert await create(file=FILE, model="empty", response_format="text") == "hello there\n"
    assert await create(file=FILE, model="whisper-1", response_format="srt") == (
        "1\n00:00:00,000 --> 00:00:00,900\nhello there\n"
    )
    assert await create(file=FILE, model="whisper-1", response_format="vtt") == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.900\nhello there\n"
    )
    assert await _jobs(acme) == []


async def test_verbose_json_has_times_of_what_was_asked_for(openai: AsyncOpenAI) -> None:
    async def verbose(**options: Any) -> Any:
        return await openai.audio.transcriptions.create(
            file=FILE, model="whisper-1", response_format="verbose_json", **options
        )

    segments = await verbose()
    assert (segments.language, segments.duration, segments.text) == ("german", 10.0, "hello there")
    assert segments.words is None
    [segment] = segments.segments
    assert (segment.id, segment.start, segment.end, segment.text) == (0, 0.0, 1.5, "hello there")
    assert segment.avg_logprob == pytest.approx(-0.693147, abs=1e-6)
    assert 0 < segment.compression_ratio < 1
    words = await verbose(timestamp_granularities=["word"])
    assert words.segments is None
    assert [(each.word, each.start, each.end) for each in words.words] == [
        ("hello", 0.0, 0.4),
        ("there", 0.5, 0.9),
    ]
    both = await verbose(timestamp_granularities=["word", "segment"])
    assert (len(both.words), len(both.segments)) == (2, 1)


async def test_what_a_form_asks_for_is_what_the_job_is(openai: AsyncOpenAI, acme: Client) -> None:
    got = await openai.audio.transcriptions.create(
        file=FILE,
        model="whisper-1",
        language="de",
        prompt="Sitzung",
        temperature=0.4,
        keywords=["Zwirn"],
        chunking_strategy={
            "type": "server_vad",
            "threshold": 0.4,
            "silence_duration_ms": 250,
            "prefix_padding_ms": 100,
        },
        extra_body={"hotwords": ["Garn"], "store": True, "features": "raw_transcript"},
    )
    [made] = await _jobs(acme)
    assert got._request_id == made.job_id
    config = made.config
    assert list(config.features) == [job.FEATURE_RAW_TRANSCRIPT]
    assert (config.lane, config.filename) == (job.LANE_INTERACTIVE, "talk.wav")
    assert made.labels == {"api": "openai"}
    options = config.asr_options
    assert (options.language_code, options.initial_prompt) == ("de", "Sitzung")
    assert list(options.hotwords) == ["Zwirn", "Garn"]
    assert list(options.decoding.temperatures) == [0.4]
    assert (options.silence.threshold, options.silence.min_silence.ToMilliseconds()) == (0.4, 250)
    assert options.silence.speech_pad.ToMilliseconds() == 100


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # OpenAI's own call is
async def test_a_translation_is_in_english(openai: AsyncOpenAI, acme: Client) -> None:
    got = await openai.audio.translations.create(
        file=FILE, model="whisper-1", response_format="verbose_json", extra_body={"store": True}
    )
    assert (got.language, got.text) == ("english", "hello there")
    [made] = await _jobs(acme)
    assert made.config.asr_options.task == asr.TRANSCRIBE_TASK_TRANSLATE


async def test_models_are_those_that_can_be_asked_for(openai: AsyncOpenAI) -> None:
    listed = (await openai.models.list()).data
    assert [(each.id, each.object, each.owned_by) for each in listed] == [
        ("whisper-1", "model", "maie"),
        ("gpt-4o-transcribe-diarize", "model", "maie"),
        ("empty", "model", "maie"),
    ]
    assert (await openai.models.retrieve("empty")).id == "empty"
    with pytest.raises(sdk.NotFoundError) as refused:
        await openai.models.retrieve("gpt-4o")
    assert refused.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("options", "kind", "code", "param"),
    [
        ({"model": "gpt-4o"}, sdk.NotFoundError, "model_not_found", "model"),
        ({"model": ""}, sdk.BadRequestError, "invalid_value", "model"),
        ({"response_format": "xml"}, sdk.BadRequestError, "invalid_value", "response_format"),
        ({"temperature": 7}, sdk.BadRequestError, "invalid_value", "temperature"),
        ({"language": "a b"}, sdk.BadRequestError, "invalid_value", "language"),
        ({"prompt": "x" * 3000}, sdk.BadRequestError, "invalid_value", "prompt"),
        ({"include": ["logprobs"]}, sdk.BadRequestError, "unsupported_parameter", "include"),
        (
            {"known_speaker_names": ["Anna"]},
            sdk.BadRequestError,
            "unsupported_parameter",
            "known_speaker_names",
        ),
        (
            {"timestamp_granularities": ["word"]},
            sdk.BadRequestError,
            "invalid_value",
            "timestamp_granularities",
        ),
        (
            {"stream": True, "response_format": "srt"},
            sdk.BadRequestError,
            "unsupported_parameter",
            "stream",
        ),
        ({"chunking_strategy": "none"}, sdk.BadRequestError, "invalid_value", "chunking_strategy"),
        ({"extra_body": {"beam": 5}}, sdk.BadRequestError, "invalid_value", "beam"),
    ],
)
async def test_what_is_wrong_is_an_error_of_the_sdk(
    shared_web: Web,
    options: dict[str, Any],
    kind: type[sdk.APIStatusError],
    code: str,
    param: str,
) -> None:
    key = await key_of(shared_web.grpc)
    asked = {"file": FILE, "model": "whisper-1"} | options
    async with client_at(shared_web.url, key) as openai:
        with pytest.raises(kind) as refused:
            await openai.audio.transcriptions.create(**asked)
    error = refused.value
    assert (error.type, error.code, error.param) == ("invalid_request_error", code, param)
    assert await _jobs(shared_web.grpc.acting(token=key)) == []


async def test_a_wrong_key_is_an_error_of_the_sdk(shared_web: Web) -> None:
    async with client_at(shared_web.url, "sk-wrong") as client:
        with pytest.raises(sdk.AuthenticationError) as refused:
            await client.audio.transcriptions.create(file=FILE, model="whisper-1")
        with pytest.raises(sdk.AuthenticationError):
            await client.models.list()
    assert refused.value.code == "invalid_api_key"


async def test_a_failed_recording_is_an_error_and_leaves_nothing(
    openai: AsyncOpenAI, acme: Client, empty_mesh: EmptyMesh
) -> None:
    async def fail(_: StageContext) -> None:
        raise StageError(Code.INVALID_ARGUMENT, Reason.AUDIO_CORRUPT, "It is damaged.")

    empty_mesh.stages["preprocess"].hook = fail
    with pytest.raises(sdk.BadRequestError) as refused:
        await openai.audio.transcriptions.create(file=FILE, model="whisper-1")
    assert refused.value.code == "audio_corrupt"
    with pytest.raises(sdk.APIError) as broken:
        async for _ in await openai.audio.transcriptions.create(
            file=FILE, model="whisper-1", stream=True
        ):
            pass
    assert broken.value.code == "audio_corrupt"
    assert await _jobs(acme) == []


async def test_a_full_queue_is_a_rate_limit(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options |= {"max_active_jobs": 1, "max_active_jobs_per_tenant": 1}
    gate = Gate()
    empty_mesh.stages["asr"].hook = gate
    async with (
        empty_mesh.running() as client,
        web_before(client) as web,
        client_at(web.url, await key_of(client)) as openai,
    ):
        first = asyncio.create_task(
            openai.audio.transcriptions.create(file=FILE, model="whisper-1")
        )
        await gate.reached.wait()
        with pytest.raises(sdk.RateLimitError) as refused:
            await openai.audio.transcriptions.create(file=FILE, model="whisper-1")
        gate.opened.set()
        await first
    assert refused.value.code == "rate_limit_exceeded"
    assert int(refused.value.response.headers["retry-after"]) >= 1


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_cancels_its_job(
    web: Web, acme: Client, key: str, empty_mesh: EmptyMesh, stream: bool
) -> None:
    gate = Gate()
    empty_mesh.stages["asr"].hook = gate
    async with httpx.AsyncClient(base_url=web.url, trust_env=False, timeout=None) as leaving:
        sending = asyncio.create_task(
            leaving.post(
                "/v1/audio/transcriptions",
                headers={"authorization": f"Bearer {key}"},
                data={"model": "whisper-1", "stream": str(stream).lower()},
                files={"file": FILE},
            )
        )
        await gate.reached.wait()
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        await until(lambda: empty_mesh.stages["asr"].stopped)
    while await _jobs(acme):
        await asyncio.sleep(0.01)


async def test_somebody_else_cancels_a_stored_job(
    openai: AsyncOpenAI, acme: Client, empty_mesh: EmptyMesh
) -> None:
    gate = Gate()
    empty_mesh.stages["asr"].hook = gate
    waiting = asyncio.create_task(
        openai.audio.transcriptions.create(file=FILE, model="whisper-1", extra_body={"store": True})
    )
    await gate.reached.wait()
    [made] = await _jobs(acme)
    await acme.cancel_job(made.job_id)
    with pytest.raises(sdk.UnprocessableEntityError) as refused:
        await waiting
    assert refused.value.code == "request_cancelled"
