"""OpenAI's client for JavaScript, unchanged; it sends the file before the other fields."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from maie_client import Client
from tests.web.conftest import Web, key_of
from tests.web.openai.conftest import AUDIO, node

pytestmark = pytest.mark.mesh

SOUND = b64encode(AUDIO).decode()


async def _work(web: Web, key: str, work: str, **options: Any) -> Any:
    return await node(web.url, key, work, audio=SOUND, **{"model": "whisper-1"} | options)


async def test_models(shared_web: Web) -> None:
    key = await key_of(shared_web.grpc)
    listed = (await node(shared_web.url, key, "models"))["result"]
    assert [each["id"] for each in listed] == ["whisper-1", "gpt-4o-transcribe-diarize", "empty"]


async def test_a_recording_becomes_text(web: Web, key: str, acme: Client) -> None:
    got = (await _work(web, key, "transcribe"))["result"]
    assert got == {"text": "Chunk 0.", "usage": {"type": "duration", "seconds": 10.0}}
    srt = (await _work(web, key, "transcribe", response_format="srt"))["result"]
    assert srt == "1\n00:00:00,000 --> 00:00:10,000\nChunk 0.\n"
    verbose = await _work(
        web, key, "transcribe", response_format="verbose_json", timestamp_granularities=["segment"]
    )
    assert [each["text"] for each in verbose["result"]["segments"]] == ["Chunk 0."]
    assert [each async for each in acme.list_jobs()] == []


async def test_a_recording_becomes_events(web: Web, key: str) -> None:
    assert (await _work(web, key, "stream"))["result"] == [
        {"type": "transcript.text.delta", "delta": "Chunk 0."},
        {"type": "transcript.text.done", "text": "Chunk 0."},
    ]


@pytest.mark.parametrize(
    ("work", "options", "error"),
    [
        ("transcribe", {"model": "gpt-4o"}, ("NotFoundError", 404, "model_not_found", "model")),
        ("stream", {"model": "gpt-4o"}, ("NotFoundError", 404, "model_not_found", "model")),
        # The empty engine cannot.
        ("translate", {}, ("BadRequestError", 400, "unsupported_parameter", "task")),
        (
            "transcribe",
            {"temperature": 0.5},
            ("BadRequestError", 400, "unsupported_parameter", "temperature"),
        ),
    ],
)
async def test_errors(
    shared_web: Web, work: str, options: dict[str, Any], error: tuple[str, int, str, str]
) -> None:
    key = await key_of(shared_web.grpc)
    got = (await _work(shared_web, key, work, **options))["error"]
    assert (got["kind"], got["status"], got["code"], got["param"]) == error
    acme = shared_web.grpc.acting(token=key)
    assert [each async for each in acme.list_jobs()] == []
