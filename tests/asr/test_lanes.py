"""Segments know the channel and the track that they are on."""

from __future__ import annotations

from pathlib import Path

import pytest

from maie_runtime.blobs import Blobs
from tests.asr.recordings import chunk_request, store_plan
from tests.asr.running import transcribe
from tests.asr.test_stage import SPOKEN, ScriptedEngine, said, span, stage_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("channel", "track"), [(0, 0), (2, 0), (0, 3), (2, 3)])
async def test_segments_carry_the_channel_and_track_of_their_chunk(
    channel: int, track: int, tmp_path: Path
) -> None:
    blobs = Blobs((tmp_path / "blobs").as_uri())
    plan = await store_plan(blobs, SPOKEN, [[span(1, 3)], [span(6, 9)]])
    plan.chunks[1].channel, plan.chunks[1].track = channel, track
    with stage_of(ScriptedEngine([said("hello", 2, 3)])) as stage:
        transcript = await transcribe(stage, chunk_request(plan, 1), blobs)
    (segment,) = transcript.segments
    assert (segment.channel, segment.track) == (channel, track)
