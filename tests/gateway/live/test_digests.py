"""The summary of a live session is spoken where the session asks for it."""

from __future__ import annotations

import pytest

from maie.job.v1 import job_pb2 as job
from maie.speech.v1 import speech_pb2 as speech
from tests.gateway.live.conftest import LiveMesh, client_of
from tests.gateway.live.conversation import config, talking
from tests.gateway.live.speech import said
from tests.synthesis.flite import needs_flite
from tests.synthesis.mesh import with_voice

pytestmark = [pytest.mark.mesh, needs_flite]

SPOKEN = config(
    features=[job.FEATURE_RAW_TRANSCRIPT, job.FEATURE_SUMMARY, job.FEATURE_DIGEST],
    template_id="meeting_notes_v1",
    speech_options=speech.SpeechOptions(voice="kal16"),
)


@pytest.mark.parametrize("without", [False, True])
async def test_the_summary_of_a_session_is_spoken_unless_its_end_leaves_it_out(
    live_mesh: LiveMesh, without: bool
) -> None:
    async with (
        live_mesh.stages(),
        with_voice(live_mesh.empty).service("synthesis"),
        live_mesh.running() as (address, _),
        client_of(address) as client,
    ):
        async with talking(address) as talk:
            started = await talk.start(SPOKEN)
            await talk.audio("ann", said([1, 2]))
            await talk.end(without_summary=without)
        done = [each async for each in client.watch_job(started.session_id)][-1].finished.job
        assert done.state == job.JOB_STATE_COMPLETE
        assert done.results.HasField("summary") is not without
        assert done.results.HasField("digest") is not without
        if not without:
            assert done.results.digest.result.voice == "kal16"
            assert done.results.digest.marks
