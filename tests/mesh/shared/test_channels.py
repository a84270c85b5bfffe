"""Two people on two channels who speak at the same time: both are read."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from maie.job.v1 import job_pb2 as job
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_client import Client
from tests.asr.recordings import BUG_AND_BUDGET, SCHEDULE, read_audio, wav
from tests.mesh.conftest import RunningMesh

pytestmark = pytest.mark.mesh

FIRST = "I will fix the bug by Friday. The budget was approved last week."


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


@pytest.mark.slow
async def test_two_who_speak_at_once_are_both_read(
    shared_mesh: RunningMesh, tmp_path: Path
) -> None:
    one, other = read_audio(BUG_AND_BUDGET), read_audio(SCHEDULE)
    longest = max(len(one), len(other))
    call = np.stack([np.pad(sound, (0, longest - len(sound))) for sound in (one, other)], axis=1)
    alone, both = tmp_path / "alone.wav", tmp_path / "call.wav"
    alone.write_bytes(wav(other))
    both.write_bytes(wav(call, channels=2))
    async with Client(shared_mesh.gateway) as client:

        async def read(path: Path, mode: preprocess.ChannelMode) -> job.JobResults:
            asked = preprocess.RecordingOptions(channels=mode)
            features = ("raw_transcript",)
            events = client.process(path, features=features, recording_options=asked)
            return [event async for event in events][-1].finished.job.results

        expected = await read(alone, preprocess.CHANNEL_MODE_MIX)
        for mode in (preprocess.CHANNEL_MODE_SPLIT, preprocess.CHANNEL_MODE_AUTO):
            results = await read(both, mode)
            texts = {
                channel: " ".join(s.text for s in results.segments if s.channel == channel)
                for channel in (1, 2)
            }
            assert words(texts[1]) == words(FIRST)
            assert words(texts[2]) == words(expected.raw_transcript)
            starts = [segment.start_offset.ToNanoseconds() for segment in results.segments]
            assert starts == sorted(starts)
            # Both begin within the first seconds: nobody waits for the other's end.
            first = {s.channel: s.start_offset.seconds for s in reversed(results.segments)}
            assert max(first.values()) < 3
            assert not results.warnings
