"""The engines of language models as the service opens them: by name, from its settings."""

from __future__ import annotations

import json
from importlib.util import find_spec
from random import Random
from typing import Any

import pytest
from aiohttp import web

from maie_core.errors import StageError
from maie_runtime.worker.stage import StageContext
from maie_summary.settings import SummarySettings
from maie_summary.stage import open_stage
from tests.llm.openai_server import MODEL, OpenAIServer, stream
from tests.summary.asking import ask, request, transcript
from tests.summary.filling import Filler
from tests.summary.points import truthful

pytestmark = pytest.mark.mesh


async def fill(request: web.Request) -> web.StreamResponse:
    """Gives answers that fit the schema of the request, which has the form of OpenAI's API."""
    asked = (await request.json())["response_format"]
    assert asked["type"] == "json_schema"
    drawn = Filler(asked["json_schema"]["schema"], Random(3)).fill()
    answer = json.dumps(truthful(drawn, 2, "We stop."))
    return await stream(*answer, system_fingerprint="fp_1")(request)


@pytest.mark.parametrize("takes_max_tokens", [True, False])
async def test_a_server_fills_a_template(
    context: StageContext, monkeypatch: pytest.MonkeyPatch, takes_max_tokens: bool
) -> None:
    server = OpenAIServer(fill)
    async with server.running():
        options: dict[str, Any] = {"BASE_URL": server.url, "MODEL": MODEL, "WINDOW": "100000"}
        if not takes_max_tokens:
            options["PARAMETERS"] = '["seed"]'
        for name, value in options.items():
            monkeypatch.setenv(f"MAIE_SUMMARY_OPENAI_{name}", value)
        async with open_stage(SummarySettings(engine="openai"), context.blobs) as stage:
            asked = request(transcript=transcript(["Good morning.", "We stop."]))
            filled = (await ask(stage, context, asked)).summary
    ids = {name for citation in filled.citations for name in citation.segment_ids}
    assert ids
    assert ids <= {"c0000-s0000", "c0000-s0001"}
    assert json.loads(filled.engine.parameters["system_fingerprint"]) == "fp_1"
    assert not filled.part_engines
    [body] = server.bodies
    assert body["seed"] == 0
    assert body.get("max_tokens") == (2048 if takes_max_tokens else None)


async def test_a_server_that_is_not_named_is_asked_for(context: StageContext) -> None:
    with pytest.raises(StageError, match="MAIE_SUMMARY_OPENAI_BASE_URL") as caught:
        async with open_stage(SummarySettings(engine="openai"), context.blobs):
            pass
    assert caught.value.reason == "MODEL_MISSING"


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is here; tests/vllm tests it")
async def test_without_vllm_its_engine_says_so(context: StageContext) -> None:
    with pytest.raises(StageError, match="needs the package vllm") as caught:
        async with open_stage(SummarySettings(engine="vllm"), context.blobs):
            pass
    assert caught.value.reason == "ENGINE_NOT_INSTALLED"
