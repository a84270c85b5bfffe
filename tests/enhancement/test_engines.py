"""The engines of language models as the service opens them: by name, from its settings."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from aiohttp import web

from maie.enhancement.v1 import enhancement_pb2 as enhancement
from maie_core.errors import StageError
from maie_enhancement.settings import EnhancementSettings
from maie_enhancement.stage import open_stage
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext
from tests.enhancement.test_stage import transcript
from tests.llm.openai_server import MODEL, OpenAIServer, stream

pytestmark = pytest.mark.mesh


@pytest.fixture
def context(tmp_path: Path) -> StageContext:
    return StageContext(
        job_id="job", unit="direct", attempt=1, blobs=Blobs(tmp_path.as_uri()), folder="jobs/test"
    )


async def shout(request: web.Request) -> web.StreamResponse:
    """Answers each word with a capital and a mark."""
    said = (await request.json())["messages"][-1]["content"].split()
    return await stream(*(f" {word.capitalize()}!" for word in said))(request)


async def test_a_server_enhances_what_was_said(
    context: StageContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = OpenAIServer(shout)
    async with server.running():
        monkeypatch.setenv("MAIE_ENHANCEMENT_OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("MAIE_ENHANCEMENT_OPENAI_MODEL", MODEL)
        monkeypatch.setenv("MAIE_ENHANCEMENT_OPENAI_WINDOW", "4096")
        monkeypatch.setenv("MAIE_ENHANCEMENT_GENERATION_TEMPERATURE", "0.3")
        async with open_stage(EnhancementSettings(engine="openai"), context.blobs) as stage:
            request = enhancement.EnhanceRequest(transcript=transcript("good morning", "yes"))
            request.generation.seed = 11
            responses = [each async for each in stage.run(request, context)]
    result = responses[-1].result
    assert [each.clean_text for each in result.segments] == ["Good! Morning!", "Yes!"]
    assert not result.kept_segment_ids
    parameters = result.enhancement_engine.parameters
    assert (parameters["temperature"], parameters["seed"]) == ("0.3", "11")
    assert json.loads(parameters["prompt_chunk_tokens"]) == 1000
    [body] = server.bodies
    assert (body["temperature"], body["seed"]) == (0.3, 11)


async def test_a_server_that_is_not_named_is_asked_for(context: StageContext) -> None:
    with pytest.raises(StageError, match="MAIE_ENHANCEMENT_OPENAI_BASE_URL") as caught:
        async with open_stage(EnhancementSettings(engine="openai"), context.blobs):
            pass
    assert caught.value.reason == "MODEL_MISSING"


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is here; tests/vllm tests it")
async def test_without_vllm_its_engine_says_so(context: StageContext) -> None:
    with pytest.raises(StageError, match="needs the package vllm") as caught:
        async with open_stage(EnhancementSettings(engine="vllm"), context.blobs):
            pass
    assert caught.value.reason == "ENGINE_NOT_INSTALLED"
