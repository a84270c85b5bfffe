"""OpenAI's client for JavaScript, unchanged; it speaks over TLS alone."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import TestCa
from tests.gateway.live.speech import word
from tests.web.conftest import Web, web_before
from tests.web.node import run_node
from tests.web.realtime.conftest import RATE

pytestmark = pytest.mark.mesh

PROGRAM = Path(__file__).with_name("client.mjs")


@pytest.fixture
async def secure(live_web: Web, tmp_path: Path) -> AsyncIterator[tuple[str, str]]:
    """The address of a web part with TLS, and the certificate of its CA."""
    ca = TestCa(folder=tmp_path)
    ca.files("web")
    paths = ca.paths("web")
    tls = {"tls_cert_file": paths["certificate"], "tls_key_file": paths["key"]}
    async with web_before(live_web.grpc, **tls) as web:
        yield web.url.replace("http", "https", 1), str(ca.ca_file)


async def _talk(secure: tuple[str, str], key: str, model: str = "whisper-1") -> Any:
    url, authority = secure
    sound = b64encode(word(1, rate=RATE)).decode()
    environment = {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": key}
    return await run_node(PROGRAM, sound, model, NODE_EXTRA_CA_CERTS=authority, **environment)


async def test_speech_becomes_an_item(secure: tuple[str, str], key: str) -> None:
    told = await _talk(secure, key)
    kinds = [each["type"] for each in told["events"]]
    assert kinds[:3] == ["session.created", "session.updated", "input_audio_buffer.committed"]
    texts = [each["transcript"] for each in told["events"] if "transcript" in each]
    assert texts == ["w1"]
    error = told["events"][-1]["error"]
    assert error["code"] == "input_audio_buffer_commit_empty"
    assert error["event_id"] == "again"
    assert told["code"] == 1000


async def test_errors(secure: tuple[str, str], key: str) -> None:
    told = await _talk(secure, key, model="gpt-4o")
    assert [each["error"]["code"] for each in told["events"]] == ["model_not_found"]
    told = await _talk(secure, "maie_wrong")
    assert [each["error"]["code"] for each in told["events"]] == ["invalid_api_key"]
