"""The engine `openai` against vLLM's own server, with a real model."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import jsonschema
import pytest

from maie.common.v1 import types_pb2 as common
from maie.enhancement.v1 import enhancement_pb2 as enhancement
from maie.summary.v1 import summary_pb2 as summary
from maie_core.errors import StageError
from maie_enhancement import stage as enhancement_stage
from maie_enhancement.guard import words_of
from maie_enhancement.settings import EnhancementOpenAISettings, EnhancementSettings
from maie_llm import Completion, Generation, LanguageModel, Message, Prompt
from maie_llm.generation import NAMES
from maie_llm.openai import OpenAISettings, open_openai
from maie_llm.openai.request import request_body
from maie_llm.openai.server import Server, open_client
from maie_llm.settings import GenerationSettings
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext
from maie_summary import stage as summary_stage
from maie_summary.settings import SummaryOpenAISettings, SummarySettings
from tests.models.meetings import MODEL, SENTENCES, random_meeting, spoken

# Torch and vLLM take half a minute to start, and several where the machine is busy.
pytestmark = [pytest.mark.mesh, pytest.mark.timeout(600)]

NAME = "tiny"
KEY = "sk-not-for-logs"
WINDOW = 1024
ENDLESS = 200
GO_ON = {"ignore_eos": True}
START_SECONDS = 500
STOP_SECONDS = 30
SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "maxLength": 24},
        "mood": {"enum": ["calm", "lively"]},
        "topics": {
            "type": "array",
            "items": {"type": "string", "maxLength": 12},
            "minItems": 1,
            "maxItems": 3,
        },
    },
    "required": ["title", "mood", "topics"],
    "additionalProperties": False,
}
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_NO_USAGE_STATS": "1",
}
OPTIONS = {
    "model": str(MODEL),
    "served-model-name": NAME,
    "host": "127.0.0.1",
    "api-key": KEY,
    "max-model-len": str(WINDOW),
    "block-size": "32",
    "distributed-executor-backend": "uni",
    # Between the tokens of JSON a model might else write white space for ever.
    "structured-outputs-config": '{"backend": "guidance", "disable_any_whitespace": true}',
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of vLLM's server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = [f"--{name}={value}" for name, value in {**OPTIONS, "port": str(port)}.items()]
    written = tmp_path_factory.mktemp("vllm") / "log"
    with written.open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "vllm.entrypoints.openai.api_server",
                "--enforce-eager",
                *options,
            ],
            env={**os.environ, **ENVIRONMENT},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process, written)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        _stop(process)


def _wait_for(health: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(START_SECONDS):
        try:
            if httpx2.get(health).status_code == httpx2.codes.OK:
                return
        except httpx2.ConnectError:
            time.sleep(1)
        assert process.poll() is None, log.read_text(errors="replace")[-4000:]
    pytest.fail(f"no server after {START_SECONDS} s: {log.read_text(errors='replace')[-4000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def settings_of(url: str, **others: Any) -> OpenAISettings:
    given = {"api_key": KEY, "model": NAME, "parameters": NAMES, "retry_seconds": 0.0}
    return OpenAISettings(base_url=url, **{**given, **others})


@asynccontextmanager
async def model_at(url: str, **others: Any):
    environment = GenerationSettings(temperature=0.0, max_tokens=64)
    async with open_openai(settings_of(url, **others), environment) as model:
        yield model


def asked(text: str, *, schema: Any = None, **generation: Any) -> Prompt:
    return Prompt(
        messages=[Message(role="user", content=text)],
        schema=schema,
        generation=Generation(**generation),
    )


async def pieces_of(model: LanguageModel, prompt: Prompt) -> tuple[Sequence[str], Completion]:
    *texts, completion = [piece async for piece in model.generate(prompt)]
    assert isinstance(completion, Completion)
    return [str(text) for text in texts], completion


async def test_an_answer_comes_bit_by_bit(url: str) -> None:
    prompt = asked("good morning everyone let us start", max_tokens=ENDLESS)
    async with model_at(url, extra_body=GO_ON) as model:
        texts, completion = await pieces_of(model, prompt)
        assert completion.prompt_tokens == await model.count(prompt.messages)
    assert len(texts) > 1
    assert completion == Completion(
        finish="length", prompt_tokens=completion.prompt_tokens, tokens=ENDLESS
    )


async def test_the_server_tells_its_window_and_itself(url: str) -> None:
    async with model_at(url) as model:
        assert model.window == WINDOW
        await pieces_of(model, asked("good morning"))
        told = model.version(Generation()).parameters
    assert json.loads(told["server_model"]) == NAME
    assert json.loads(told["system_fingerprint"]).startswith("vllm-")


async def test_an_answer_fits_its_schema(url: str) -> None:
    prompt = asked("good morning everyone", schema=SCHEMA, max_tokens=120)
    async with model_at(url) as model:
        texts, completion = await pieces_of(model, prompt)
    assert completion.finish == "stop"
    jsonschema.validate(json.loads("".join(texts)), SCHEMA)


async def test_some_json_is_asked_for_where_the_server_knows_no_schemas(url: str) -> None:
    prompt = asked("good morning everyone", schema=SCHEMA, max_tokens=120)
    async with model_at(url, structured_output="json_object") as model:
        texts, completion = await pieces_of(model, prompt)
    assert "".join(texts).startswith("{")
    assert completion.finish in ("stop", "length")


async def test_a_schema_that_the_server_does_not_know_is_refused(url: str) -> None:
    schema = {"type": "object", "patternProperties": {"^(?=x)": {"type": "string"}}}
    async with model_at(url) as model:
        with pytest.raises(StageError) as refused:
            await pieces_of(model, asked("good morning", schema=schema))
    assert refused.value.reason == "MODEL_REQUEST_REFUSED"


async def test_an_answer_that_is_cut_off_says_so(url: str) -> None:
    async with model_at(url) as model:
        _, completion = await pieces_of(model, asked("good morning everyone", max_tokens=2))
    assert (completion.finish, completion.tokens) == ("length", 2)


async def test_a_prompt_that_is_too_long_is_refused(url: str) -> None:
    prompt = asked("good morning " * WINDOW)
    async with model_at(url) as model:
        assert await model.count(prompt.messages) > WINDOW
        with pytest.raises(StageError) as refused:
            await pieces_of(model, prompt)
    assert refused.value.reason == "PROMPT_TOO_LONG"


async def test_the_server_itself_refuses_a_prompt_that_is_too_long(url: str) -> None:
    settings = settings_of(url)
    body = request_body(asked("good morning " * WINDOW), Generation(), settings)
    async with open_client(settings) as client:
        with pytest.raises(StageError) as refused:
            [chunk async for chunk in Server(client, settings).answer(body)]
    assert refused.value.reason == "PROMPT_TOO_LONG"


async def test_nothing_is_clipped_where_prompt_and_answer_do_not_fit(url: str) -> None:
    async with model_at(url) as model:
        tokens = await model.count(asked("good morning").messages)
        with pytest.raises(StageError) as refused:
            await pieces_of(model, asked("good morning", max_tokens=WINDOW - tokens + 1))
        assert refused.value.reason == "PROMPT_TOO_LONG"
        await pieces_of(model, asked("good morning", max_tokens=WINDOW - tokens))


async def test_the_same_seed_draws_the_same_words_alone_and_among_others(url: str) -> None:
    def drawn(seed: int) -> Prompt:
        return asked("good morning everyone", temperature=2.0, seed=seed, max_tokens=30)

    async with model_at(url) as model:
        (alone, _), (other, _) = await pieces_of(model, drawn(1)), await pieces_of(model, drawn(2))
        together = await asyncio.gather(*(pieces_of(model, drawn(seed)) for seed in range(8)))
    assert "".join(alone) != "".join(other)
    assert "".join(together[1][0]) == "".join(alone)


async def test_closing_an_answer_frees_the_servers_sequence(url: str) -> None:
    async with model_at(url, extra_body=GO_ON) as model:
        before = await _tokens_written(url)
        async with aclosing(model.generate(asked("good morning", max_tokens=ENDLESS))) as answer:
            await anext(answer)
        written = -1.0
        while written != (written := await _tokens_written(url)):
            await asyncio.sleep(0.5)
    assert written - before < ENDLESS / 2
    async with model_at(url) as model:
        assert (await pieces_of(model, asked("good morning")))[1].finish == "stop"


async def _tokens_written(url: str) -> float:
    """How much the server has written in its life."""
    async with httpx2.AsyncClient() as client:
        text = (await client.get(url.removesuffix("v1") + "metrics")).text
    found = re.search(r"^vllm:generation_tokens_total\{.*\} (\S+)$", text, re.MULTILINE)
    assert found
    return float(found[1])


def context(folder: Path) -> StageContext:
    return StageContext(
        job_id="job", unit="direct", attempt=1, blobs=Blobs(folder.as_uri()), folder="jobs/test"
    )


def transcript_of(texts: Sequence[str]) -> common.Transcript:
    return common.Transcript(
        language_code="en",
        segments=[
            common.Segment(segment_id=f"c0000-s{at:04d}", text=text)
            for at, text in enumerate(texts)
        ],
    )


async def test_a_transcript_is_enhanced_by_the_server(url: str, tmp_path: Path) -> None:
    clean = [sentence.text for sentence in random.Random(7).sample(SENTENCES, 12)]
    request = enhancement.EnhanceRequest(transcript=transcript_of([spoken(text) for text in clean]))
    request.generation.temperature = 0
    settings = EnhancementSettings(
        engine="openai",
        openai=EnhancementOpenAISettings(**dict(settings_of(url))),
        # A few sentences at once, as the model was trained.
        prompt_chunk_tokens=60,
    )
    async with enhancement_stage.open_stage(settings, Blobs(tmp_path.as_uri())) as stage:
        responses = [each async for each in stage.run(request, context(tmp_path))]
    result = responses[-1].result
    for raw, segment in zip(clean, result.segments, strict=True):
        assert words_of(raw) == words_of(segment.clean_text)
    assert result.enhancement_engine.engine == "openai"
    assert json.loads(result.enhancement_engine.parameters["server_model"]) == NAME


async def test_a_meeting_is_summarised_by_the_server(url: str, tmp_path: Path) -> None:
    meeting = random_meeting(random.Random(1), 5)
    request = summary.SummarizeRequest(
        template_id="meeting_notes_v1", transcript=transcript_of(meeting.texts())
    )
    request.generation.temperature = 0
    settings = SummarySettings(
        engine="openai", openai=SummaryOpenAISettings(**dict(settings_of(url)))
    )
    async with summary_stage.open_stage(settings, Blobs(tmp_path.as_uri())) as stage:
        responses = [each async for each in stage.run(request, context(tmp_path))]
    filled = responses[-1].result.summary
    assert filled.content["title"]
    assert filled.citations
    assert filled.engine.engine == "openai"
    assert json.loads(filled.engine.parameters["structured_output"]) == "json_schema"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"api_key": "sk-wrong"}, "MODEL_ACCESS_DENIED"),
        ({"api_key": None}, "MODEL_ACCESS_DENIED"),
        ({"model": "large"}, "MODEL_MISSING"),
        ({"window": WINDOW + 1}, "MODEL_WINDOW_INVALID"),
    ],
)
async def test_what_is_wrong_stops_the_start(url: str, wrong: dict[str, Any], reason: str) -> None:
    with pytest.raises(StageError) as refused:
        async with model_at(url, **wrong):
            pass
    assert refused.value.reason == reason
