"""A corrected transcript is summarised again, in a job of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from maie.edit.v1 import edit_pb2 as edit
from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from maie_core.reasons import Reason
from maie_gateway.conductor import job_events
from tests.empty_stages import empty_stages
from tests.gateway.conftest import EmptyMesh

pytestmark = pytest.mark.mesh

TEMPLATE = "meeting_notes_v1"
FEATURES = ("clean_transcript", "summary")
ABSENT = "01900000-0000-7000-8000-000000000000"


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


async def ended(client: Client, job_id: str) -> job.Job:
    """A job at its end."""
    return [each async for each in client.watch_job(job_id)][-1].finished.job


async def corrected(client: Client, **options: object) -> job.Job:
    """A job whose first segment is corrected to "Chapter 0."."""
    made = await client.create_job(recording(), **{"features": FEATURES, **options})  # type: ignore[arg-type]
    done = await ended(client, made.job_id)
    segment = edit.EditedSegment(text="Chapter 0.")
    change = edit.SegmentEdit(segment_ids=["c0000-s0000"], segments=[segment])
    await client.revisions.save(done.job_id, 0, [change])
    return done


async def test_a_corrected_text_is_summarised_in_a_job_of_its_own(empty_mesh: EmptyMesh) -> None:
    empty_mesh.stages = empty_stages(chunks=2)
    async with empty_mesh.running() as client:
        made = await corrected(client, template_id=TEMPLATE, display_name="Standup")
        before = {name: len(stage.runs) for name, stage in empty_mesh.stages.items()}
        begun = await client.get_job(await client.revisions.summarize(made.job_id))
        assert begun.origin == job.JobOrigin(job_id=made.job_id, revision=1)
        again = await ended(client, begun.job_id)
        assert again.state == job.JOB_STATE_COMPLETE
        assert again.results.clean_transcript == "Chapter 0. Chunk 1."
        assert again.results.summary.content["parts"] == 2
        assert (again.display_name, again.config.template_id) == ("Standup", TEMPLATE)
        # Nothing was decoded, recognised or cleaned again.
        after = {name: len(stage.runs) for name, stage in empty_mesh.stages.items()}
        assert after == before | {"summary": before["summary"] + 3}
        origin = await client.get_job(made.job_id)
        assert list(origin.summary_job_ids) == [begun.job_id]
        assert origin.results.summary == made.results.summary
        audio = [part async for part in client.get_audio(begun.job_id)]
        assert b"".join(part.audio for part in audio) == b"not empty"


async def test_another_revision_and_template_can_be_named(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client:
        made = await corrected(client, features=["clean_transcript"])
        with pytest.raises(ClientError) as refused:
            await client.revisions.summarize(made.job_id)
        assert refused.value.reason == Reason.TEMPLATE_REQUIRED
        begun = await client.revisions.summarize(made.job_id, revision=0, template_id=TEMPLATE)
        again = await ended(client, begun)
        assert again.results.clean_transcript == "Chunk 0."
        for wanted, reason in (
            ({"revision": 2}, Reason.REVISION_NOT_FOUND),
            ({"template_id": "none"}, Reason.TEMPLATE_NOT_FOUND),
        ):
            with pytest.raises(ClientError) as refused:
                await client.revisions.summarize(
                    made.job_id,
                    **{"template_id": TEMPLATE, **wanted},  # type: ignore[arg-type]
                )
            assert refused.value.reason == reason


async def test_a_summary_is_deleted_with_its_origin(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client:
        made = await corrected(client, template_id=TEMPLATE)
        first = await client.revisions.summarize(made.job_id)
        second = await client.revisions.summarize(made.job_id)
        await client.delete_job(first)
        assert (await client.get_job(made.job_id)).state == job.JOB_STATE_COMPLETE
        await client.delete_job(made.job_id)
        with pytest.raises(ClientError) as refused:
            await client.get_job(second)
        assert refused.value.reason == Reason.JOB_NOT_FOUND


async def test_a_transcript_is_summarised_only_so_often(
    empty_mesh: EmptyMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_events, "MAX_SUMMARIES", 1)
    async with empty_mesh.running() as client:
        made = await corrected(client, template_id=TEMPLATE)
        await client.revisions.summarize(made.job_id)
        with pytest.raises(ClientError) as refused:
            await client.revisions.summarize(made.job_id)
        assert refused.value.reason == Reason.SUMMARIES_FULL
