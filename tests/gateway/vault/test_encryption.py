"""With a master key, nothing that is stored of a job can be read without it, and after it never."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import ValidationError

from maie.asr.v1 import asr_pb2 as asr
from maie.edit.v1 import edit_pb2 as edit
from maie.job.v1 import job_pb2 as job
from maie_client import Client, JobOptions
from maie_core.errors import StageError
from maie_gateway.readmodel import ReadModelSettings
from maie_gateway.settings import GatewaySettings, RetentionSettings
from maie_runtime.bus.broker import Broker
from maie_runtime.vault.key_file import new_line
from maie_runtime.worker.stage import StageContext
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_residue import FEATURES, NAMES, WORDS, files_with, options
from tests.gateway.vault.conftest import EVERYTHING, holds, recording, wrapped_key, written
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh


def everything() -> JobOptions:
    asked = options()
    asked["features"] = ("raw_transcript", "clean_transcript", "summary")
    asked["template_id"] = "meeting_notes_v1"
    asked["asr_options"] = asr.TranscribeOptions(
        hotwords=["hotwordia"], initial_prompt="promptoria"
    )
    return asked


async def found(client: Client, words: str) -> bool:
    """Whether a search finds a job within a while."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not [hit async for hit in client.search_jobs(words)]:
            await asyncio.sleep(0.05)
    return True


async def test_no_file_holds_a_word_of_a_job_while_it_is_there(
    mesh: EmptyMesh, disk: list[Path], tmp_path: Path
) -> None:
    async with mesh.running() as client:
        events = [each async for each in client.process(recording(), **everything())]
        done = events[-1].finished.job
        assert done.state == job.JOB_STATE_COMPLETE
        assert "chunk 0" in done.results.raw_transcript
        assert (done.display_name, done.labels["case"]) == (NAMES[2], NAMES[1])
        assert await found(client, "chunk")
        assert files_with(disk, EVERYTHING) == {}
        await client.update_job(done.job_id, display_name="Zanzibar hearing, the second")
        assert files_with(disk, EVERYTHING) == {}
        corrected = edit.SegmentEdit(
            segment_ids=[done.results.segments[0].segment_id],
            segments=[edit.EditedSegment(text=f"chunk {WORDS[1]} was said")],
        )
        await client.revisions.save(done.job_id, 0, [corrected])
        assert files_with(disk, EVERYTHING) == {}
        saved = tmp_path / "saved"
        await client.save_audio(done.job_id, saved)
        assert await asyncio.to_thread(saved.read_bytes) == b"RECORDINGBYTES"
    # Another gateway reads it all again, from the disk.
    async with mesh.gateway() as address, Client(address) as client:
        again = await client.get_job(done.job_id, revision=0)
        assert again.results == done.results
        assert f"{WORDS[1]} was said" in (await client.get_job(done.job_id)).results.raw_transcript
        assert [each async for each in client.watch_job(done.job_id)][-1].finished.job.job_id
        assert await found(client, "chunk")


async def test_a_deleted_job_leaves_no_key(
    mesh: EmptyMesh, disk: list[Path], bystander: Broker
) -> None:
    async with mesh.running() as client:
        kept = await client.create_job(recording(), features=FEATURES)
        gone = await client.create_job(recording(), **options())
        assert [each async for each in client.watch_job(gone.job_id)]
        wrapped = await wrapped_key(bystander, gone.job_id)
        stays = await wrapped_key(bystander, kept.job_id)
        assert holds(mesh.nats.store, wrapped)
        await client.delete_job(gone.job_id)
        assert not holds(mesh.nats.store, wrapped)
        assert holds(mesh.nats.store, stays)
        assert [each async for each in client.watch_job(kept.job_id)]
    await mesh.nats.stop()
    assert not holds(mesh.nats.store, wrapped)
    assert files_with(disk, EVERYTHING) == {}


async def test_jobs_from_before_and_after_live_side_by_side(
    mesh: EmptyMesh, disk: list[Path]
) -> None:
    master = mesh.gateway_options.pop("master_key")
    async with mesh.running() as client:
        before = [each async for each in client.process(recording(), **options("one "))][-1]
    mesh.gateway_options["master_key"] = master
    async with mesh.running() as client:
        after = [each async for each in client.process(recording(), **options("two "))][-1]
        for each in (before.finished.job, after.finished.job):
            found = await client.get_job(each.job_id)
            assert (found.results, found.labels) == (each.results, each.labels)
        assert len([each async for each in client.list_jobs()]) == 2
        await client.delete_job(before.finished.job.job_id)
        assert files_with(disk, EVERYTHING) == {}


async def test_a_failed_unit_is_retried_and_its_letter_is_read(mesh: EmptyMesh) -> None:
    tries = 0

    async def fails_once(_: StageContext) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise RuntimeError("Sesquipedalia")

    mesh.stages["asr"].hook = fails_once
    mesh.gateway_options["max_retries"] = 0
    async with mesh.running() as client:
        made = await client.create_job(recording(), **options())
        failed = [each async for each in client.watch_job(made.job_id)][-1].finished.job
        assert failed.state == job.JOB_STATE_FAILED
        letters = [each async for each in client.list_dead_letters()]
        (letter,) = [each for each in letters if each.unit.startswith("asr")]
        await client.replay_dead_letter(letter.letter_id)
        done = [each async for each in client.watch_job(made.job_id)][-1].finished.job
        assert done.state == job.JOB_STATE_COMPLETE


async def test_keys_of_no_job_are_swept(mesh: EmptyMesh, bystander: Broker) -> None:
    mesh.gateway_options["retention"] = RetentionSettings(sweep_seconds=0.2)
    # As of a submit that became no job, or a gateway that died before a removal's last step.
    await bystander.data_keys.put("job.01900000-0000-7000-8000-000000000000", b"wrapped")
    async with mesh.running() as client:
        made = await client.create_job(recording(), features=FEATURES)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await wrapped_key(bystander, "01900000-0000-7000-8000-000000000000"):
                await asyncio.sleep(0.05)
        assert await wrapped_key(bystander, made.job_id)


async def test_a_mesh_with_encrypted_jobs_starts_with_their_key_only(
    mesh: EmptyMesh, tmp_path: Path
) -> None:
    async with mesh.gateway():
        pass
    open_to_all = tmp_path / "open.key"
    written(open_to_all, new_line())
    open_to_all.chmod(0o644)
    for setting, reason in (
        ("", "DATA_KEY_NOT_CONFIGURED"),
        (written(tmp_path / "wrong.key", new_line()), "MASTER_KEY_INVALID"),
        (written(tmp_path / "short.key", "c2hvcnQ="), "MASTER_KEY_INVALID"),
        (written(tmp_path / "empty.key", ""), "MASTER_KEY_INVALID"),
        (open_to_all.as_uri(), "MASTER_KEY_INVALID"),
        ((tmp_path / "none.key").as_uri(), "MASTER_KEY_INVALID"),
        ("nonsense", "MASTER_KEY_INVALID"),
        ("kms-of-nobody://key", "MASTER_KEY_INVALID"),
    ):
        mesh.gateway_options["master_key"] = setting
        with pytest.raises(StageError) as refused:
            async with mesh.gateway():
                pass
        assert refused.value.reason == reason


async def test_the_master_key_is_rotated_without_touching_a_job(
    mesh: EmptyMesh, tmp_path: Path
) -> None:
    old, new = new_line(), new_line()
    made = []
    for number, content in enumerate((old, f"{new}\n{old}", new)):
        mesh.gateway_options["master_key"] = written(tmp_path / f"{number}.key", content)
        async with mesh.gateway() as address, Client(address) as client:
            made.append(await client.create_job(recording(), **options(f"{number} ")))
            for job_id in (each.job_id for each in made):
                assert (await client.get_job(job_id)).labels["case"].endswith(NAMES[1])
    mesh.gateway_options["master_key"] = written(tmp_path / "old.key", old)
    with pytest.raises(StageError) as refused:
        async with mesh.gateway():
            pass
    assert refused.value.reason == "MASTER_KEY_INVALID"


def test_no_read_model_is_in_a_file(tmp_path: Path) -> None:
    file = ReadModelSettings(url=f"sqlite:///{tmp_path}/readmodel.db")
    with pytest.raises(ValidationError, match="names a file"):
        GatewaySettings(master_key="file:///key", read_model=file)
    for url in ("sqlite://", "postgresql://host/name"):
        GatewaySettings(master_key="file:///key", read_model=ReadModelSettings(url=url))
