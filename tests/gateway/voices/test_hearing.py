"""Voices of real recordings, which real stages cut and listen to, around an ASR without a model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from maie.job.v1 import job_pb2 as job
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie.voice.v1 import voice_pb2 as voice
from maie_client import Client, ClientError
from maie_core.reasons import Reason
from maie_core.settings import ServiceSettings
from maie_diarization.settings import DiarizationSettings
from maie_diarization.stage import open_stage as open_diarization
from maie_pipeline.bindings import BINDINGS
from maie_preprocess.settings import PreprocessSettings
from maie_preprocess.stage import open_stage as open_preprocess
from maie_runtime.bus.broker import Broker
from maie_runtime.worker.server import serve_stage
from maie_speech.frames import SAMPLE_RATE
from maie_speech.speech import Samples
from tests.asr.recordings import read_audio, wav
from tests.gateway.conftest import EmptyMesh
from tests.gateway.live.conversation import talking
from tests.gateway.live.loud_asr import replica
from tests.gateway.live.test_speakers import finished, known_diarizers, shared
from tests.people import AGREED, allow_voices

pytestmark = pytest.mark.mesh

SAMPLES = Path(__file__).parents[3] / "samples"
# Long enough to know a voice, and short enough to be quick.
SECONDS = 8
MIX, SPLIT = preprocess.CHANNEL_MODE_MIX, preprocess.CHANNEL_MODE_SPLIT


@pytest.fixture
async def hearing(empty_mesh: EmptyMesh) -> AsyncIterator[Client]:
    """A mesh that finds speech and tells voices apart as it is shipped."""
    settings = DiarizationSettings(mesh=empty_mesh.mesh, listen="127.0.0.1:0")
    own = ServiceSettings(mesh=empty_mesh.mesh)
    async with AsyncExitStack() as stack:
        for each in (
            serve_stage(
                BINDINGS["preprocess"], own, lambda _: open_preprocess(PreprocessSettings())
            ),
            serve_stage(BINDINGS["diarization"], settings, partial(open_diarization, settings)),
            empty_mesh.service("asr"),
        ):
            await stack.enter_async_context(each)
        address = await stack.enter_async_context(empty_mesh.gateway())
        client = await stack.enter_async_context(Client(address))
        await allow_voices(client)
        yield client


def part(name: str, start: int) -> Samples:
    """Some seconds of a sample."""
    return read_audio(SAMPLES / name)[start * SAMPLE_RATE : (start + SECONDS) * SAMPLE_RATE]


async def processed(client: Client, *channels: Samples, mode: preprocess.ChannelMode = MIX) -> str:
    """A finished job of a recording with these channels; gives its id."""
    sound = np.stack(channels, axis=1)

    async def recording() -> AsyncIterator[bytes]:
        yield wav(sound, channels=len(channels))

    events = client.process(
        recording(),
        features=("raw_transcript", "speakers"),
        recording_options=preprocess.RecordingOptions(channels=mode),
    )
    done = [event async for event in events][-1].finished.job
    assert done.state == job.JOB_STATE_COMPLETE, done.failures
    return done.job_id


def likely(found: voice.FindVoicesResponse) -> list[str]:
    """The likely names of all speakers."""
    return [
        each.display_name
        for speaker in found.speakers
        for each in speaker.candidates
        if each.is_likely
    ]


async def test_who_is_enrolled_from_one_recording_is_found_in_another(hearing: Client) -> None:
    first, again, other = [
        await processed(hearing, sound)
        for sound in (part("reading.flac", 0), part("reading.flac", 16), part("standup.flac", 0))
    ]
    made = await hearing.voices.enroll(first, "S1", "Elinor", AGREED)
    assert [each.engine.engine for each in made.engines] == ["embedded"]
    assert likely(await hearing.voices.find(again)) == ["Elinor"]
    assert likely(await hearing.voices.find(other)) == []


async def test_who_is_enrolled_from_a_live_session_is_found_in_a_recording(
    hearing: Client, broker: Broker
) -> None:
    """What is heard live is compared with what is heard in recordings."""
    await known_diarizers(hearing.address, 1)
    async with replica(broker, "asr-1", 1), talking(hearing.address) as talk:
        started = await talk.start(shared())
        await talk.audio("room", part("reading.flac", 0).tobytes())
        await talk.end()
    done = await finished(hearing.address, started.session_id)
    assert [each.speaker for each in done.results.speakers] == ["S1"]
    await hearing.voices.enroll(started.session_id, "S1", "Elinor", AGREED)
    for sound, names in ((part("reading.flac", 16), ["Elinor"]), (part("standup.flac", 0), [])):
        found = await hearing.voices.find(await processed(hearing, sound))
        assert likely(found) == names, found


async def test_a_channel_is_not_listened_to_and_the_mix_is(hearing: Client) -> None:
    """The refusal says so, and following it helps."""
    channels = part("reading.flac", 0), np.zeros(SECONDS * SAMPLE_RATE, np.int16)
    split = await processed(hearing, *channels, mode=SPLIT)
    assert [each.channel for each in (await hearing.get_job(split)).results.speakers] == [1]
    for ask in (
        hearing.voices.find(split),
        hearing.voices.enroll(split, "S1", "Elinor", AGREED),
        hearing.voices.enroll(split, "S1", "Elinor", AGREED, segment_ids=["c0000-s0000"]),
    ):
        with pytest.raises(ClientError) as refused:
            await ask
        assert refused.value.reason == Reason.VOICES_MISSING
        assert "each channel or track is a speaker" in refused.value.message
        assert "process the recording again with its channels mixed" in refused.value.message
    mixed = await processed(hearing, *channels)
    await hearing.voices.enroll(mixed, "S1", "Elinor", AGREED)
    assert likely(await hearing.voices.find(mixed)) == ["Elinor"]
