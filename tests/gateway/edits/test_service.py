"""Corrected transcripts are kept beside what was made, over a whole mesh."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from maie.access.v1 import access_pb2 as access
from maie.edit.v1 import edit_pb2 as edit
from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.conductor import job_events
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import empty_stages
from tests.gateway.conftest import EmptyMesh
from tests.gateway.edits.segments import seconds
from tests.gateway.test_residue import files_with
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

BOTH = ("raw_transcript", "clean_transcript")
FIRST = "c0000-s0000"


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


async def done(client: Client) -> job.Job:
    """A job with the segments "Chunk 0." and "Chunk 1."."""
    return [each async for each in client.process(recording(), features=BOTH)][-1].finished.job


def says(text: str, *more: str) -> list[edit.SegmentEdit]:
    """The first segment corrected to these texts."""
    segments = [edit.EditedSegment(text=each) for each in (text, *more)]
    return [edit.SegmentEdit(segment_ids=[FIRST], segments=segments)]


async def refusal(of: object) -> ClientError:
    """How a call is refused."""
    with pytest.raises(ClientError) as refused:
        await of  # type: ignore[misc]
    return refused.value


@pytest.fixture
async def client(empty_mesh: EmptyMesh) -> AsyncIterator[Client]:
    """A client of a mesh whose recordings have two chunks."""
    empty_mesh.stages = empty_stages(chunks=2)
    async with empty_mesh.running() as opened:
        yield opened


async def test_the_newest_revision_is_shown_and_the_original_stays(client: Client) -> None:
    made = await done(client)
    saved = await client.revisions.save(made.job_id, 0, says("Chapter 0."))
    assert (saved.revision, saved.changed_segments) == (1, 1)
    assert saved.author == (await client.get_caller()).caller_id
    shown = await client.get_job(made.job_id)
    assert (shown.newest_revision, shown.results.revision) == (1, 1)
    assert shown.results.clean_transcript == "Chapter 0. Chunk 1."
    assert shown.results.raw_transcript == "Chapter 0.\nchunk 1"
    original = await client.get_job(made.job_id, revision=0)
    assert original.results == made.results
    assert [each async for each in client.watch_job(made.job_id)][-1].finished.job == shown


async def test_a_revision_has_its_text(client: Client) -> None:
    made = await done(client)
    await client.revisions.save(made.job_id, 0, says("Chunk", "zero."))
    await client.revisions.save(made.job_id, 1, says("Piece"))
    first = await client.revisions.get(made.job_id, 1)
    assert [each.text for each in first.segments] == ["Chunk", "zero.", "chunk 1"]
    assert seconds(first.segments[0])[1] == seconds(first.segments[1])[0]
    assert (first.revision.revision, first.newest_revision) == (1, 2)
    newest = await client.revisions.get(made.job_id)
    assert [each.text for each in newest.segments] == ["Piece", "zero.", "chunk 1"]
    original = await client.revisions.get(made.job_id, 0)
    assert list(original.segments) == list(made.results.segments)
    assert original.revision == edit.Revision()
    gone = await refusal(client.revisions.get(made.job_id, 3))
    assert (gone.code.name, gone.reason) == ("NOT_FOUND", Reason.REVISION_NOT_FOUND)
    assert (await refusal(client.get_job(made.job_id, 3))).reason == Reason.REVISION_NOT_FOUND


async def test_going_back_loses_nothing(client: Client) -> None:
    made = await done(client)
    await client.revisions.save(made.job_id, 0, says("One."))
    await client.revisions.save(made.job_id, 1, says("Two."))
    back = await client.revisions.revert(made.job_id, 2, 1)
    assert (back.revision, back.reverted_to, back.changed_segments) == (3, 1, 1)
    original = await client.revisions.revert(made.job_id, 3, 0)
    assert (original.revision, original.HasField("reverted_to")) == (4, True)
    shown = await client.get_job(made.job_id)
    assert shown.results.segments == made.results.segments
    assert shown.results.revision == 4
    assert (await client.get_job(made.job_id, 3)).results.segments[0].text == "One."
    listed = await client.revisions.list(made.job_id)
    assert [each.revision for each in listed] == [4, 3, 2, 1]
    assert listed[0] == original


async def test_of_two_saves_at_once_one_is_refused_with_the_newest_number(client: Client) -> None:
    made = await done(client)
    saves = (client.revisions.save(made.job_id, 0, says(f"Try {n}.")) for n in range(8))
    outcomes = await asyncio.gather(*saves, return_exceptions=True)
    saved = [each for each in outcomes if isinstance(each, edit.Revision)]
    refused = [each for each in outcomes if isinstance(each, ClientError)]
    assert (len(saved), len(refused)) == (1, 7)
    assert {(each.code.name, each.reason) for each in refused} == {
        ("ABORTED", Reason.REVISION_OUTDATED)
    }
    assert "newest revision is 1" in str(refused[0])
    assert [each.revision for each in await client.revisions.list(made.job_id)] == [1]


async def test_a_save_whose_answer_was_lost_is_made_once(client: Client) -> None:
    made = await done(client)
    first = await client.revisions.save(made.job_id, 0, says("One."))
    await client.revisions.save(made.job_id, 1, says("Two."))
    assert await client.revisions.save(made.job_id, 0, says("One.")) == first
    assert len(await client.revisions.list(made.job_id)) == 2


async def test_search_finds_the_corrected_text(client: Client) -> None:
    made = await done(client)
    await client.revisions.save(made.job_id, 0, says("Zanzibar."))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (hits := [hit async for hit in client.search_jobs("zanzibar")]):
            await asyncio.sleep(0.02)
    assert [moment.segment_id for moment in hits[0].moments] == [FIRST]
    assert hits[0].job.newest_revision == 1
    await client.revisions.revert(made.job_id, 1, 0)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while [hit async for hit in client.search_jobs("zanzibar")]:
            await asyncio.sleep(0.02)


async def test_a_text_that_may_still_change_is_not_corrected(empty_mesh: EmptyMesh) -> None:
    empty_mesh.stages = empty_stages(chunks=2)

    async def refuses_the_second(context: StageContext) -> None:
        if context.unit == "enhancement.0001":
            raise StageError(Code.INVALID_ARGUMENT, Reason.AUDIO_CORRUPT, "It is damaged.")

    empty_mesh.stages["enhancement"].hook = refuses_the_second
    async with empty_mesh.running() as client:
        made = await done(client)
        assert made.state == job.JOB_STATE_FAILED
        refused = await refusal(client.revisions.save(made.job_id, 0, says("One.")))
        assert refused.code.name == "FAILED_PRECONDITION"
        assert refused.reason == Reason.TRANSCRIPT_NOT_READY
        assert await client.revisions.list(made.job_id) == []


async def test_a_transcript_has_only_so_many_revisions(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_events, "MAX_REVISIONS", 2)
    made = await done(client)
    for number in range(2):
        await client.revisions.save(made.job_id, number, says(f"Try {number}."))
    refused = await refusal(client.revisions.save(made.job_id, 2, says("More.")))
    assert (refused.code.name, refused.reason) == ("FAILED_PRECONDITION", Reason.REVISIONS_FULL)
    assert (await refusal(client.revisions.revert(made.job_id, 2, 0))).reason == refused.reason


async def test_saves_are_in_the_audit_log(client: Client) -> None:
    made = await done(client)
    await client.revisions.save(made.job_id, 0, says("One."))
    await client.revisions.revert(made.job_id, 1, 0)
    wanted = access.ListAuditEntriesRequest(job_id=made.job_id)
    actions = [entry.action async for entry in client.audit.entries(wanted)]
    assert [each for each in actions if "EditService" in each] == [
        "maie.edit.v1.EditService/SaveRevision",
        "maie.edit.v1.EditService/RevertRevision",
    ]


async def test_revisions_are_deleted_with_their_job(empty_mesh: EmptyMesh, tmp_path: Path) -> None:
    folders = [tmp_path / "blobs", empty_mesh.nats.store]
    async with empty_mesh.running() as client:
        made = await done(client)
        await client.revisions.save(made.job_id, 0, says("Zanzibar."))
        assert "zanzibar" in files_with(folders, ["zanzibar"])
        await client.delete_job(made.job_id)
        assert files_with(folders, ["zanzibar"]) == {}
        assert (await refusal(client.revisions.list(made.job_id))).reason == Reason.JOB_NOT_FOUND


async def test_another_gateway_reads_what_was_saved(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client, empty_mesh.gateway() as other:
        made = await done(client)
        saved = await client.revisions.save(made.job_id, 0, says("Chapter 0."))
        async with Client(other) as second:
            shown = await second.get_job(made.job_id)
            assert shown.results.clean_transcript == "Chapter 0."
            assert await second.revisions.list(made.job_id) == [saved]
