"""When voices of a job can be asked for, and what a refusal says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable

import pytest

from maie_client import Client, ClientError
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import Gate
from tests.gateway.conftest import EmptyMesh
from tests.people import AGREED, allow_voices, person, speaking
from tests.web.conftest import web_before

pytestmark = pytest.mark.mesh

SPEAKERS = ("raw_transcript", "speakers")


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"sound"


async def refused(of: Awaitable[object]) -> tuple[str, str, str]:
    """The code, the reason and the sentence of a refused call."""
    with pytest.raises(ClientError) as error:
        await of
    return error.value.code.name, error.value.reason, error.value.message


async def ended(client: Client, job_id: str) -> None:
    """Waits for the end of a job."""
    assert [each async for each in client.watch_job(job_id)][-1].HasField("finished")


async def test_a_job_that_works_has_no_voices_yet(empty_mesh: EmptyMesh) -> None:
    """Until its speakers are told apart, which may be before its end."""
    stage = empty_mesh.stages["diarization"]
    stage.answer = speaking(person("anna"))
    stage.hook = told_apart = Gate()
    empty_mesh.stages["summary"].hook = summarised = Gate()
    async with empty_mesh.running() as client, web_before(client) as web:
        await allow_voices(client)
        made = await client.create_job(
            recording(), features=(*SPEAKERS, "summary"), template_id="meeting_notes_v1"
        )
        await told_apart.reached.wait()
        for ask in (
            client.voices.find(made.job_id),
            client.voices.enroll(made.job_id, "S1", "Anna", AGREED),
        ):
            code, reason, sentence = await refused(ask)
            assert (code, reason) == ("FAILED_PRECONDITION", Reason.VOICES_NOT_READY)
            assert sentence.endswith("are not told apart yet; ask again when it is complete.")
        answer = await web.http.get(f"/v1/jobs/{made.job_id}/voices")
        assert (answer.status_code, answer.json()["reason"]) == (422, Reason.VOICES_NOT_READY)
        told_apart.opened.set()
        await summarised.reached.wait()
        enrolled = await client.voices.enroll(made.job_id, "S1", "Anna", AGREED)
        (found,) = (await client.voices.find(made.job_id)).speakers
        assert [each.voice_id for each in found.candidates] == [enrolled.voice_id]
        summarised.opened.set()
        await ended(client, made.job_id)


async def test_a_job_that_will_have_no_voices_says_why_at_once(empty_mesh: EmptyMesh) -> None:
    empty_mesh.stages["asr"].hook = gate = Gate()
    async with empty_mesh.running() as client:
        await allow_voices(client)
        made = await client.create_job(recording(), features=("raw_transcript",))
        code, reason, sentence = await refused(client.voices.find(made.job_id))
        assert (code, reason) == ("FAILED_PRECONDITION", Reason.VOICES_MISSING)
        assert "its speakers were not asked for; process its recording with" in sentence
        gate.opened.set()
        await ended(client, made.job_id)


async def _fails(_: StageContext) -> None:
    raise StageError(Code.INVALID_ARGUMENT, Reason.AUDIO_EMPTY, "There is no sound.")


async def test_a_job_that_failed_before_is_to_be_retried(empty_mesh: EmptyMesh) -> None:
    stage = empty_mesh.stages["diarization"]
    stage.answer, stage.hook = speaking(person("anna")), _fails
    async with empty_mesh.running() as client:
        await allow_voices(client)
        made = await client.create_job(recording(), features=SPEAKERS)
        await ended(client, made.job_id)
        code, reason, sentence = await refused(client.voices.find(made.job_id))
        assert (code, reason) == ("FAILED_PRECONDITION", Reason.VOICES_MISSING)
        assert "it ended before its speakers were told apart; retry it" in sentence
        stage.hook = Gate()
        stage.hook.opened.set()
        await client.retry_job(made.job_id)
        await ended(client, made.job_id)
        assert [each.speaker for each in (await client.voices.find(made.job_id)).speakers] == ["S1"]
