"""The text of several channels, as clients see it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie_client import Client
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import empty_stages
from tests.gateway.conftest import EmptyMesh

pytestmark = pytest.mark.mesh

# What is said on each channel, by its second.
SPOKEN = {1: {0: "hello", 4: "how are you", 9: "good"}, 2: {2: "hello", 4: "fine", 6: "thanks"}}


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


def channel_of(
    request: asr.TranscribeRequest, _: StageContext, __: int
) -> Sequence[asr.TranscribeResponse]:
    """Chunk 0 is the first channel, chunk 1 the second."""
    channel = request.speech_chunk.index + 1
    transcript = common.Transcript(language_code="en", punctuated=True)
    for number, (second, text) in enumerate(SPOKEN[channel].items()):
        segment = transcript.segments.add(
            segment_id=f"c{channel - 1:04d}-s{number:04d}", text=text, channel=channel
        )
        segment.start_offset.FromSeconds(second)
        segment.end_offset.FromSeconds(second + 1)
    return [asr.TranscribeResponse(result=transcript)]


async def process(mesh: EmptyMesh) -> Any:
    mesh.stages = empty_stages(chunks=2)
    mesh.stages["asr"].answer = channel_of
    features = ("raw_transcript", "clean_transcript")
    async with mesh.running() as client:
        assert isinstance(client, Client)
        events = [event async for event in client.process(recording(), features=features)]
    return events[-1].finished.job.results


async def test_channels_are_interleaved_by_time(empty_mesh: EmptyMesh) -> None:
    results = await process(empty_mesh)
    assert [(segment.channel, segment.text) for segment in results.segments] == [
        (1, "hello"),
        (2, "hello"),
        (1, "how are you"),
        (2, "fine"),
        (2, "thanks"),
        (1, "good"),
    ]
    assert results.raw_transcript.splitlines() == [segment.text for segment in results.segments]


async def test_another_channel_begins_a_paragraph(empty_mesh: EmptyMesh) -> None:
    results = await process(empty_mesh)
    assert results.clean_transcript.split("\n\n") == [
        "hello",
        "hello",
        "how are you",
        "fine thanks",
        "good",
    ]
