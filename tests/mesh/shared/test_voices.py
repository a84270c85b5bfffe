"""A real person is enrolled from one recording and found in another, where she says other words."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_core.reasons import Reason
from maie_speech.frames import SAMPLE_RATE
from tests.asr.recordings import read_audio, wav
from tests.gateway.voices.test_service import refusal
from tests.mesh.conftest import ROOT, SAMPLE, RunningMesh
from tests.people import AGREED, allow_voices

pytestmark = pytest.mark.mesh

READING = ROOT / "samples" / "reading.flac"
# Of recordings long enough to know a voice, and short enough to be quick.
SECONDS = 12


async def heard(client: Client, audio: Path, start: int, folder: Path) -> str:
    """A finished job of a part of a recording; gives its id."""
    part = read_audio(audio)[start * SAMPLE_RATE : (start + SECONDS) * SAMPLE_RATE]
    path = folder / f"{audio.stem}-{start}.wav"
    path.write_bytes(wav(part))
    events = client.process(path, features=("raw_transcript", "speakers"))
    done = [event async for event in events][-1].finished.job
    assert done.state == job.JOB_STATE_COMPLETE
    return done.job_id


@pytest.mark.slow
async def test_a_person_is_found_in_another_recording(
    shared_mesh: RunningMesh, tmp_path: Path
) -> None:
    async with Client(shared_mesh.gateway) as admin:
        acme, other = (admin.acting(tenant=name) for name in ("voices", "voices-other"))
        for name in ("voices", "voices-other"):
            await allow_voices(admin, name)
        first, second, strangers, theirs = await asyncio.gather(
            heard(acme, READING, 0, tmp_path),
            heard(acme, READING, 16, tmp_path),
            heard(acme, SAMPLE, 0, tmp_path),
            heard(other, READING, 16, tmp_path),
        )
        texts = [(await acme.get_job(each)).results.raw_transcript for each in (first, second)]
        assert not set(texts[0].split()[:5]) & set(texts[1].split()[:5])
        made = await acme.voices.enroll(first, "S1", "Elinor", AGREED)
        assert made.engines[0].engine.engine == "embedded"

        found = await acme.voices.find(second)
        best = [speaker.candidates[0] for speaker in found.speakers if speaker.candidates]
        assert [each.display_name for each in best if each.is_likely] == ["Elinor"]
        not_her = await acme.voices.find(strangers)
        assert not_her.speakers
        assert not [
            each for speaker in not_her.speakers for each in speaker.candidates if each.is_likely
        ]
        assert not [each for each in (await other.voices.find(theirs)).speakers if each.candidates]
        gone = "NOT_FOUND", Reason.VOICE_NOT_FOUND
        assert await refusal(other.voices.get(made.voice_id)) == gone
        for name in ("voices", "voices-other"):
            assert [each async for each in admin.tenants.remove(name)]
