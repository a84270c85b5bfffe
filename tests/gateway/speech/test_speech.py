"""A gateway speaks for its callers, by the synthesis services that run."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from typing import Any

import pytest

from maie.access.v1 import access_pb2 as access
from maie.speech.v1 import speech_pb2 as speech
from maie_client import Client, ClientError, StatusCode
from maie_core.errors import Code, StageError
from maie_core.limits import MAX_SPEECH_CHARACTERS
from maie_core.reasons import Reason
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import EmptyStage
from tests.gateway.conftest import EmptyMesh, empty_mesh, shared_mesh  # noqa: F401 - fixtures
from tests.synthesis.flite import needs_flite
from tests.synthesis.mesh import with_voice
from tests.synthesis.speaking import Heard, heard
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.mesh, needs_flite]


@pytest.fixture(scope="module")
async def client(shared_mesh: EmptyMesh) -> Any:  # noqa: F811
    async with with_voice(shared_mesh).running() as client:
        yield client


async def test_a_text_is_spoken_through_the_gateway(client: Client) -> None:
    text = "Hello there. Привет. It is 9:30."
    found = await heard(client.speech.synthesize(text, audio_format="flac"))
    assert found.content.startswith(b"fLaC")
    assert found.result is not None
    assert found.result.spoken_sentences == 2
    (named,) = found.result.unspoken
    assert text[named.text_offset :][: named.text_length] == "Привет."
    assert len(found.of(speech.MARK_KIND_WORD)) == 5


async def test_voices_are_listed_with_the_default_one_first(client: Client) -> None:
    voices = await client.speech.voices()
    assert [voice.name for voice in voices] == ["slt", "rms", "awb", "kal16"]
    found = await heard(client.speech.synthesize("Yes."))
    assert found.result is not None
    assert found.result.voice == "slt"


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        ("", {}, "TEXT_NOT_SPEAKABLE"),
        ("😀", {}, "TEXT_NOT_SPEAKABLE"),
        ("x" * (MAX_SPEECH_CHARACTERS + 1), {}, "TEXT_TOO_LONG"),
        ("я" * MAX_SPEECH_CHARACTERS, {}, "REQUEST_TOO_LARGE"),
        ("Yes.", {"voice": "nobody"}, "SPEECH_VOICE_UNKNOWN"),
        ("Yes.", {"speed": 9.0}, "OPTION_OUT_OF_RANGE"),
    ],
)
async def test_what_cannot_be_spoken_is_refused(
    client: Client, text: str, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ClientError) as raised:
        await heard(client.speech.synthesize(text, **options))
    assert (raised.value.code, raised.value.reason) == (StatusCode.INVALID_ARGUMENT, reason)


async def test_a_caller_that_leaves_frees_the_slot(client: Client) -> None:
    for _ in range(4):
        async with aclosing(client.speech.synthesize("Many words. " * 50_000)) as responses:
            first = Heard()
            first.take(await anext(responses))
            assert first.content
    assert (await heard(client.speech.synthesize("Yes."))).result is not None


async def test_a_key_needs_the_scope_to_submit(client: Client) -> None:
    made = await client.keys.create(tenant="acme", scopes=[access.SCOPE_READ])
    reader = client.acting(token=made.api_key)
    assert await reader.speech.voices()
    with pytest.raises(ClientError) as raised:
        await heard(reader.speech.synthesize("Yes."))
    assert raised.value.reason == "SCOPE_MISSING"


async def test_without_a_service_the_gateway_says_so(
    empty_mesh: EmptyMesh,  # noqa: F811
) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        assert await client.speech.voices() == []
        with pytest.raises(ClientError) as raised:
            await heard(client.speech.synthesize("Yes."))
        assert raised.value.reason == "SPEECH_UNAVAILABLE"
        assert raised.value.retry_after is not None


async def test_another_service_speaks_where_one_cannot(
    empty_mesh: EmptyMesh,  # noqa: F811
) -> None:
    async def refuse(_: StageContext) -> None:
        raise StageError(Code.UNAVAILABLE, Reason.MODEL_NOT_LOADED, "Not now.")

    broken = EmptyStage(answer=lambda *_: [], hook=refuse)
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(empty_mesh.gateway())
        client = await stack.enter_async_context(Client(address))
        empty_mesh.stages["synthesis"] = broken
        empty_mesh.service_options["instance"] = "synthesis-1"
        await stack.enter_async_context(empty_mesh.service("synthesis"))
        empty_mesh.service_options["instance"] = "synthesis-2"
        await stack.enter_async_context(with_voice(empty_mesh).service("synthesis"))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await client.speech.voices():
                await asyncio.sleep(0.01)
        # The first one that fails comes last for a while.
        while not broken.runs:
            assert (await heard(client.speech.synthesize("Yes."))).result is not None
        assert (await heard(client.speech.synthesize("Yes."))).result is not None
