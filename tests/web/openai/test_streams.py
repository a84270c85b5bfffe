"""The text of a recording as server-sent events, chunk by chunk and in order."""

from __future__ import annotations

import asyncio

import pytest
from openai import AsyncOpenAI
from openai.types.audio import TranscriptionTextDeltaEvent, TranscriptionTextDoneEvent

from maie_client import Client
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import empty_stages
from tests.gateway.conftest import EmptyMesh
from tests.web.openai.conftest import FILE

pytestmark = pytest.mark.mesh

CHUNKS = 4


@pytest.fixture
def empty_mesh(empty_mesh: EmptyMesh) -> EmptyMesh:
    """Stages that cut each recording into chunks."""
    empty_mesh.stages = empty_stages(chunks=CHUNKS)
    empty_mesh.service_options["slots"] = CHUNKS
    return empty_mesh


@pytest.mark.parametrize(
    ("features", "word"), [("clean_transcript", "Chunk"), ("raw_transcript", "chunk")]
)
async def test_the_first_chunk_comes_before_the_last_is_read(
    openai: AsyncOpenAI, acme: Client, empty_mesh: EmptyMesh, features: str, word: str
) -> None:
    first_came = asyncio.Event()
    second_ended = asyncio.Event()

    async def in_turn(context: StageContext) -> None:
        # The first ends after the second, and the last once the client has the first.
        if context.unit.endswith(".0000"):
            await second_ended.wait()
        if context.unit.endswith(".0001"):
            second_ended.set()
        if context.unit.endswith(".0003"):
            await first_came.wait()

    empty_mesh.stages["asr"].hook = in_turn
    pieces = []
    async for event in await openai.audio.transcriptions.create(
        file=FILE, model="whisper-1", stream=True, extra_body={"features": features}
    ):
        if isinstance(event, TranscriptionTextDeltaEvent):
            pieces.append(event.delta)
            first_came.set()
        else:
            assert isinstance(event, TranscriptionTextDoneEvent)
            whole = event.text
    stop = "." if word == "Chunk" else ""
    assert whole == " ".join(f"{word} {number}{stop}" for number in range(CHUNKS))
    assert "".join(pieces) == whole
    assert pieces[0] == f"{word} 0{stop}"
    assert [each async for each in acme.list_jobs()] == []
