"""`maie backup` of a mesh that works, and `maie restore` into an empty one."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from maie_core.errors import StageError
from maie_runtime.backup.files import later_file, snapshot_file
from maie_runtime.backup.later import from_lines
from maie_runtime.backup.order import ORDER
from maie_runtime.backup.streams import JOBS, add_removals, copy_streams_out
from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import open_broker
from maie_runtime.bus.errors import KeyNotFoundError
from maie_runtime.bus.stream_copy import PARTIAL, STATE, restore_stream
from maie_runtime.vault.key_file import new_line
from tests.cli.command import Ended, run
from tests.conftest import NatsServer
from tests.empty_stages import Gate
from tests.gateway.backup.places import FEATURES, Places, completed, only_files, recording
from tests.gateway.vault.conftest import written

pytestmark = pytest.mark.mesh


async def test_finished_jobs_are_there_and_running_ones_go_on(
    places: Places, tmp_path: Path
) -> None:
    gate = Gate()
    async with places.mesh.running() as client:
        done = await client.create_job(recording(), features=FEATURES, display_name="Minutes")
        before = await completed(client, done.job_id)
        places.mesh.stages["asr"].hook = gate
        running = [
            await client.create_job(recording(), features=FEATURES, request_id=f"r{number}")
            for number in range(5)
        ]
        await gate.reached.wait()
        ended = await places.backup()
        assert ended.code == 0, ended.errors
        assert "The master key is not in it" in ended.output
        gate.opened.set()
    ended = await places.restore()
    assert ended.code == 0, ended.errors
    async with places.other.running() as client:
        assert await client.get_job(done.job_id) == before
        await client.save_audio(done.job_id, tmp_path / "saved")
        assert (tmp_path / "saved").read_bytes() == b"RECORDINGBYTES"
        for each in running:
            assert "chunk 0" in (await completed(client, each.job_id)).results.raw_transcript
        # The same submit is still the same job.
        again = await client.create_job(recording(), features=FEATURES, request_id="r3")
        assert again.job_id == running[3].job_id
        listed = [each.job_id async for each in client.list_jobs()]
        assert sorted(listed) == sorted([done.job_id, *(each.job_id for each in running)])


@only_files
async def test_a_backup_of_a_busy_mesh_has_each_job_once(places: Places) -> None:
    accepted: list[str] = []
    finished: set[str] = set()
    busy = asyncio.Event()
    async with places.mesh.running() as client:

        async def submit() -> None:
            while not busy.is_set():
                made = await client.create_job(recording(), features=FEATURES)
                accepted.append(made.job_id)
                await completed(client, made.job_id)
                finished.add(made.job_id)

        submitting = [asyncio.create_task(submit()) for _ in range(6)]
        while len(finished) < 30:
            await asyncio.sleep(0.02)
        promised, done_before = set(accepted), set(finished)
        ended = await places.backup()
        busy.set()
        await asyncio.gather(*submitting)
        assert ended.code == 0, ended.errors
    assert (await places.restore()).code == 0
    async with places.other.running() as client:
        listed = [each.job_id async for each in client.list_jobs()]
        assert len(listed) == len(set(listed))
        assert promised <= set(listed) <= set(accepted)
        for job_id in listed:
            assert "chunk 0" in (await completed(client, job_id)).results.raw_transcript
            if job_id in done_before:
                assert not [run for run in places.other.stages["asr"].runs if job_id in run[0]]


@only_files
async def test_what_is_not_empty_is_refused(places: Places) -> None:
    async with places.mesh.running() as client:
        await completed(client, (await client.create_job(recording(), features=FEATURES)).job_id)
        assert (await places.backup()).code == 0
    again = await places.backup()
    assert again.code == 1
    assert "is not empty; name a new folder" in again.errors
    async with places.other.gateway():
        refused = await places.restore()
        assert refused.code == 1
        assert "A mesh runs on this broker (gateway." in refused.errors
    # The gateway left an entry in the audit log, at least.
    async with open_broker(places.other.nats.url, "test") as broker:
        await broker.jetstream.publish(subjects.names("a"), b"")
    refused = await places.restore()
    assert refused.code == 1
    assert "The broker is not empty: " in refused.errors
    await places.other.nats.stop()
    fresh = NatsServer(port=places.other.nats.port, store=places.folder.parent / "fresh")
    await fresh.start()
    try:
        stray = await Blobs(places.other.mesh.blob_url).put("jobs/another/a", b"x")
        refused = await places.restore()
        assert refused.code == 1
        assert f"such as {stray.key}" in refused.errors
        await Blobs(places.other.mesh.blob_url).delete(stray.key)
        assert (await places.restore()).code == 0
    finally:
        await fresh.stop()


@only_files
async def test_an_interrupted_restore_is_run_again(places: Places) -> None:
    async with places.mesh.running() as client:
        made = await client.create_job(recording(), features=FEATURES)
        before = await completed(client, made.job_id)
        assert (await places.backup()).code == 0
    assert (await places.restore()).code == 0
    async with open_broker(places.other.nats.url, "test") as broker:
        # As a restore leaves it that was killed before its last streams, in the middle of one.
        for name in ORDER[ORDER.index(JOBS) + 1 :]:
            await broker.jetstream.delete_stream(name)
        there = (await broker.jetstream.stream_info(JOBS)).config
        marks = {**(there.metadata or {}), STATE: PARTIAL}
        await broker.jetstream.update_stream(there.evolve(metadata=marks))
        await broker.jetstream.purge_stream(JOBS)
    objects = Blobs(places.other.mesh.blob_url)
    async for stored in objects.stored("jobs"):
        await objects.delete(stored.key)
    assert (await places.restore()).code == 0
    assert (await places.restore()).code == 0
    async with places.other.running() as client:
        assert await client.get_job(made.job_id) == before
        assert (await client.get_job(made.job_id)).results.raw_transcript
        await completed(client, (await client.create_job(recording(), features=FEATURES)).job_id)
    refused = await places.restore()
    assert refused.code == 1
    assert "was restored here before" in refused.errors


@only_files
@pytest.mark.parametrize("damage", ["flip", "cut", "missing", "more", "list", "counts", "manifest"])
async def test_a_damaged_backup_is_refused_and_nothing_is_restored(
    damage: str, places: Places
) -> None:
    async with places.mesh.running() as client:
        await completed(client, (await client.create_job(recording(), features=FEATURES)).job_id)
        assert (await places.backup()).code == 0
    folder = places.folder
    target = next(path for path in (folder / "objects").rglob("*") if path.is_file())
    manifest = folder / "manifest.json"
    match damage:
        case "flip":
            snapshot = folder / "streams" / f"{JOBS}.snapshot"
            data = bytearray(snapshot.read_bytes())
            data[len(data) // 2] ^= 1
            snapshot.write_bytes(data)
        case "cut":
            target.write_bytes(target.read_bytes()[:-1])
        case "missing":
            target.unlink()
        case "more":
            (folder / "objects" / "jobs" / "more").write_bytes(b"more")
        case "list":
            with (folder / "SHA256SUMS").open("a") as file:
                file.write(f"{'0' * 64}  objects/jobs/more\n")
        case "counts":
            fields = json.loads(manifest.read_text())
            manifest.write_text(json.dumps(fields | {"objects": fields["objects"] + 1}))
        case "manifest":
            manifest.write_text(manifest.read_text()[:-10])
    refused = await places.restore()
    assert refused.code == 1
    assert "is damaged: " in refused.errors
    async with open_broker(places.other.nats.url, "test") as broker:
        assert not await broker.jetstream.streams_info()
    manifest.unlink()
    refused = await places.restore()
    assert (refused.code, "holds no whole backup" in refused.errors) == (1, True)


@only_files
async def test_encrypted_jobs_are_read_with_the_master_key_alone(
    places: Places, tmp_path: Path
) -> None:
    key = written(tmp_path / "master.key", new_line())
    places.mesh.gateway_options["master_key"] = key
    async with places.mesh.running() as client:
        made = await client.create_job(recording(), features=FEATURES, display_name="Minutes")
        before = await completed(client, made.job_id)
        assert (await places.backup()).code == 0
    secret = (tmp_path / "master.key").read_bytes().strip()
    for path in places.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(word in content for word in (secret, b"RECORDINGBYTES", b"Minutes"))
    assert (await places.restore()).code == 0
    for wrong in ("", written(tmp_path / "another.key", new_line())):
        places.other.gateway_options["master_key"] = wrong
        with pytest.raises(StageError) as refused:
            async with places.other.gateway():
                pass
        assert refused.value.reason in ("DATA_KEY_NOT_CONFIGURED", "MASTER_KEY_INVALID")
    places.other.gateway_options["master_key"] = key
    async with places.other.running() as client:
        assert await client.get_job(made.job_id) == before


@only_files
async def test_a_broker_without_a_mesh_is_refused(places: Places) -> None:
    places.mesh = places.other
    ended = await places.backup()
    assert (ended.code, "There is no whole mesh in this broker" in ended.errors) == (1, True)
    again = await places.backup()
    assert (again.code, "a backup that did not come to its end" in again.errors) == (1, True)


@only_files
async def test_a_job_that_is_deleted_while_objects_are_copied_stays_so(places: Places) -> None:
    for name in ("streams", "objects"):
        (places.folder / name).mkdir(parents=True)
    async with places.mesh.running() as client, AsyncExitStack() as stack:
        here, there = [
            await stack.enter_async_context(open_broker(url, "test"))
            for url in (places.mesh.nats.url, places.other.nats.url)
        ]
        deleted, kept = [
            (await client.create_job(recording(), features=FEATURES)).job_id for _ in range(2)
        ]
        for job_id in (deleted, kept):
            await completed(client, job_id)
        streams = await copy_streams_out(here, places.folder)
        await client.delete_job(deleted)
        await completed(client, (await client.create_job(recording(), features=FEATURES)).job_id)
        jobs = await add_removals(here, places.folder, streams[JOBS])
        later = from_lines(places.folder / later_file(JOBS))
        pieces = [(places.folder / snapshot_file(JOBS)).read_bytes()]
        assert await restore_stream(there, jobs.snapshot(None), "copy", pieces, later) == jobs.last
        assert (await there.jobs.get(kept)).value
        with pytest.raises(KeyNotFoundError):
            await there.jobs.get(deleted)


@only_files
async def test_a_folder_of_a_local_mesh_is_restored_and_backed_up_without_running_it(
    places: Places, tmp_path: Path
) -> None:
    async with places.mesh.running() as client:
        await completed(client, (await client.create_job(recording(), features=FEATURES)).job_id)
        assert (await places.backup()).code == 0
    data, again = tmp_path / "data", tmp_path / "again"

    async def maie(*arguments: object) -> Ended:
        return await asyncio.to_thread(run, *arguments, environment={})

    missing = await maie("backup", again, "--data", data)
    assert (missing.code, "There is no mesh in" in missing.errors) == (1, True)
    restored = await maie("restore", places.folder, "--data", data)
    assert restored.code == 0, restored.errors
    ended = await maie("backup", again, "--data", data)
    assert ended.code == 0, ended.errors
    one, other = [
        json.loads((folder / "manifest.json").read_text()) for folder in (places.folder, again)
    ]
    assert one["objects"] == other["objects"]
    assert [each["last"] for each in one["streams"]] == [each["last"] for each in other["streams"]]
