"""A job whose summary is spoken, from the submit to the audio, with the real stage."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.speech.v1 import speech_pb2 as speech
from maie.summary.v1 import summary_pb2 as summary
from maie_client import Client, ClientError, JobOptions
from maie_core.durations import seconds
from maie_runtime.blobs import Blobs
from maie_runtime.vault.key_file import new_line
from tests.empty_stages import ENGINE
from tests.gateway.conftest import EmptyMesh, empty_mesh  # noqa: F401 - fixtures
from tests.gateway.test_jobs import process, recording
from tests.gateway.vault.conftest import holds, written
from tests.synthesis.flite import needs_flite
from tests.synthesis.mesh import with_voice
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.mesh, needs_flite]

TEMPLATE = "meeting_notes_v1"
BOTH = ("summary", "digest")
NOTES = {
    "title": "Weekly sync",
    "abstract": "The release moves to May 3.",
    "action_items": [{"task": "Write the notes", "owner": "Priya"}],
}
SPOKEN = (
    "Weekly sync.\n\nAbstract.\n\nThe release moves to May 3.\n\nAction items.\n\n"
    "Write the notes. Owner: Priya."
)


def options(**more: Any) -> JobOptions:
    """What a job with a digest is asked for."""
    how = speech.SpeechOptions(voice="kal16", format=speech.AUDIO_FORMAT_FLAC)
    return {"features": BOTH, "template_id": TEMPLATE, "speech_options": how, **more}  # type: ignore[typeddict-item]


def speaking(mesh: EmptyMesh, notes: dict[str, Any] = NOTES) -> EmptyMesh:
    """A mesh that speaks, where each summary says this."""
    result = summary.SummarizeResult()
    result.summary.content.update(notes)
    result.summary.engine.CopyFrom(ENGINE)
    mesh.stages["summary"].answer = lambda *_: [summary.SummarizeResponse(result=result)]
    return with_voice(mesh)


async def audio_of(client: Client, job_id: str, start: int = 0) -> tuple[job.AudioInfo, bytes]:
    """The file of a job's digest, and its bytes from one on."""
    info, content = job.AudioInfo(), b""
    async for part in client.get_audio(job_id, start_byte=start, digest=True):
        if part.HasField("info"):
            info = part.info
        content += part.audio
    return info, content


async def stored(mesh: EmptyMesh) -> list[str]:
    """The stored objects of all digests, whole or not."""
    blobs = Blobs(mesh.mesh.blob_url)
    return [each.key async for each in blobs.stored("jobs") if "/digest" in each.key]


async def reason_of(client: Client, job_id: str) -> str:
    """Why there is no audio."""
    with pytest.raises(ClientError) as raised:
        await audio_of(client, job_id)
    return raised.value.reason


async def test_the_summary_of_a_recording_is_spoken_and_erased_with_it(
    empty_mesh: EmptyMesh,  # noqa: F811
) -> None:
    async with speaking(empty_mesh).running() as client:
        done = (await process(client, **options(display_name="Sync")))[-1].finished.job
        assert done.state == job.JOB_STATE_COMPLETE
        digest = done.results.digest
        assert digest.text == SPOKEN
        marked = [SPOKEN[mark.text_offset :][: mark.text_length] for mark in digest.marks]
        assert marked[:3] == ["Weekly sync.", "Abstract.", "The release moves to May 3."]
        assert digest.result.voice == "kal16"
        assert seconds(digest.result.duration) > seconds(digest.marks[-1].start_offset) > 1
        assert done.versions.stages[-1].engine.engine == "flite"
        assert not done.results.warnings
        info, content = await audio_of(client, done.job_id)
        assert content.startswith(b"fLaC")
        assert (info.filename, info.size_bytes) == ("Sync.flac", len(content))
        assert digest.size_bytes == len(content)
        assert (await audio_of(client, done.job_id, start=100))[1] == content[100:]
        assert len([key for key in await stored(empty_mesh) if "/digest-audio-" in key]) == 1
        await client.delete_job(done.job_id)
        assert await reason_of(client, done.job_id) == "JOB_NOT_FOUND"
        assert await stored(empty_mesh) == []


async def test_the_audio_is_sealed_where_jobs_are_encrypted(
    empty_mesh: EmptyMesh,  # noqa: F811
    tmp_path: Path,
) -> None:
    empty_mesh.gateway_options["master_key"] = written(tmp_path / "master.key", new_line())
    folders = [tmp_path / "blobs", empty_mesh.nats.store]
    async with speaking(empty_mesh).running() as client:
        done = (await process(client, **options()))[-1].finished.job
        _, content = await audio_of(client, done.job_id)
        assert content.startswith(b"fLaC")
        assert (await audio_of(client, done.job_id, start=70_000))[1] == content[70_000:]
        assert await stored(empty_mesh)
        for secret in (content[:64], content[-64:], b"release moves to May"):
            assert not any([await asyncio.to_thread(holds, each, secret) for each in folders])


async def test_a_job_waits_for_a_service_that_speaks(
    empty_mesh: EmptyMesh,  # noqa: F811
) -> None:
    mesh = speaking(empty_mesh)
    async with AsyncExitStack() as stack:
        for slug in ("preprocess", "asr", "enhancement", "summary"):
            await stack.enter_async_context(mesh.service(slug))
        client = await stack.enter_async_context(
            Client(await stack.enter_async_context(mesh.gateway()))
        )
        made = await client.create_job(recording(), **options())
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (waiting := await client.get_job(made.job_id)).results.HasField("summary"):
                await asyncio.sleep(0.05)
        assert waiting.state == job.JOB_STATE_PROCESSING_LLM
        assert await reason_of(client, made.job_id) == "AUDIO_NOT_READY"
        await stack.enter_async_context(mesh.service("synthesis"))
        done = [each async for each in client.watch_job(made.job_id)][-1].finished.job
        assert done.state == job.JOB_STATE_COMPLETE
        assert done.results.digest.text == SPOKEN


@pytest.mark.parametrize(
    ("notes", "named", "message"),
    [
        (NOTES | {"abstract": "One. Привет! Two."}, ["Привет!"], "A sentence of the summary was"),
        ({"title": "Привет"}, [], "The summary has nothing that the voice can speak"),
    ],
)
async def test_what_cannot_be_spoken_is_a_warning(
    empty_mesh: EmptyMesh,  # noqa: F811
    notes: dict[str, Any],
    named: list[str],
    message: str,
) -> None:
    async with speaking(empty_mesh, notes).running() as client:
        done = (await process(client, **options()))[-1].finished.job
        assert done.state == job.JOB_STATE_COMPLETE
        digest = done.results.digest
        unspoken = digest.result.unspoken
        assert [digest.text[at.text_offset :][: at.text_length] for at in unspoken] == named
        (warning,) = done.results.warnings
        assert warning.reason == "DIGEST_INCOMPLETE"
        assert warning.message.startswith(message)
        if named:
            assert (await audio_of(client, done.job_id))[1].startswith(b"fLaC")
        else:
            assert await reason_of(client, done.job_id) == "DIGEST_MISSING"
            assert not [key for key in await stored(empty_mesh) if "/digest-audio" in key]


async def test_a_job_that_is_cancelled_while_it_speaks_leaves_no_audio(
    empty_mesh: EmptyMesh,  # noqa: F811
) -> None:
    long = speaking(empty_mesh, {"title": "Weekly sync", "abstract": "Many words. " * 20_000})
    async with long.running() as client:
        made = await client.create_job(recording(), **options())
        async for each in client.watch_job(made.job_id):
            if each.stage_progress.stage == common.STAGE_SYNTHESIS:
                await client.cancel_job(made.job_id)
                break
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await client.get_job(made.job_id)).state != job.JOB_STATE_CANCELLED:
                await asyncio.sleep(0.05)
        assert await reason_of(client, made.job_id) in ("AUDIO_NOT_READY", "DIGEST_MISSING")
    # The service has ended, and with it all that it wrote.
    assert await stored(empty_mesh) == []


async def test_a_corrected_text_is_summarised_and_spoken_again(
    empty_mesh: EmptyMesh,  # noqa: F811
) -> None:
    async with speaking(empty_mesh).running() as client:
        made = (await process(client, **options()))[-1].finished.job
        speaking(empty_mesh, NOTES | {"abstract": "It moves to June."})
        begun = await client.revisions.summarize(made.job_id, template_id="interview_v1")
        again = [each async for each in client.watch_job(begun)][-1].finished.job
        assert again.state == job.JOB_STATE_COMPLETE
        assert again.results.digest.text != SPOKEN
        assert "It moves to June." in again.results.digest.text
        assert again.results.digest.result.voice == "kal16"
        assert (await audio_of(client, begun))[1] != (await audio_of(client, made.job_id))[1]
        await client.delete_job(made.job_id)
        await until_empty(empty_mesh)


async def until_empty(mesh: EmptyMesh) -> None:
    """Waits until no digest is stored."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await stored(mesh):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("features", "how", "reason"),
    [
        (("raw_transcript", "digest"), {}, "OPTION_NOT_SUPPORTED"),
        (BOTH, {"speed": 9}, "OPTION_OUT_OF_RANGE"),
        (BOTH, {"format": 99}, "OPTION_OUT_OF_RANGE"),
        (BOTH, {"voice": "nobody"}, "SPEECH_VOICE_UNKNOWN"),
        (BOTH, {"voice": "x" * 65}, "SPEECH_VOICE_UNKNOWN"),
    ],
)
async def test_a_digest_that_cannot_be_is_refused(
    empty_mesh: EmptyMesh,  # noqa: F811
    features: tuple[str, ...],
    how: dict[str, Any],
    reason: str,
) -> None:
    async with with_voice(empty_mesh).running() as client:
        with pytest.raises(ClientError) as raised:
            await process(
                client, **options(features=features, speech_options=speech.SpeechOptions(**how))
            )
        assert raised.value.reason == reason


async def test_a_job_without_one_says_so(empty_mesh: EmptyMesh) -> None:  # noqa: F811
    async with empty_mesh.running() as client:
        asked = options(features=("raw_transcript",), template_id="")
        done = (await process(client, **asked))[-1].finished.job
        assert not done.config.HasField("speech_options")
        assert await reason_of(client, done.job_id) == "DIGEST_MISSING"


async def test_callers_cannot_have_a_stored_summary_spoken(
    empty_mesh: EmptyMesh,  # noqa: F811
) -> None:
    async with with_voice(empty_mesh).running() as client:
        request = speech.SynthesizeRequest(text="Yes.", summary=speech.SummarySource())
        with (
            pytest.raises(ClientError) as raised,
            client.speech._calling(speech.SynthesizeRequest) as metadata,
        ):
            async for _ in client.speech._stub().Synthesize(request, metadata=metadata):
                pass
        assert raised.value.reason == "FIELD_INVALID"
