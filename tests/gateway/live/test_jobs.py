"""The job of a session: limits do not count it, it can be cancelled, and nothing is left of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie_client import ClientError
from maie_gateway.settings import RetentionSettings
from maie_runtime.bus.session_log import SessionLog
from tests.gateway.live.conftest import LiveMesh, client_of
from tests.gateway.live.conversation import config, expected, talking
from tests.gateway.live.speech import said, word
from tests.gateway.test_removal import none_left, recording
from tests.gateway.test_residue import files_with
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

RAW = ("raw_transcript",)


async def test_sessions_take_no_places_of_jobs(live_mesh: LiveMesh) -> None:
    live_mesh.empty.gateway_options |= {
        "max_active_jobs": 1,
        "max_active_jobs_per_tenant": 1,
        "max_running_jobs_per_tenant": 1,
        "reconcile_seconds": 0.1,
    }
    async with (
        live_mesh.running() as (address, _),
        client_of(address) as client,
        live_mesh.empty.service("preprocess"),
        live_mesh.empty.service("asr"),
        talking(address) as talk,
        talking(address) as other,
    ):
        await talk.start()
        await other.start()
        made = await client.create_job(recording(), features=RAW)
        events = [each async for each in client.watch_job(made.job_id)]
        assert events[-1].finished.job.state == job.JOB_STATE_COMPLETE
        states = [each.state async for each in client.list_jobs()]
        assert states.count(job.JOB_STATE_PROCESSING_ASR) == 2
        await talk.audio("ann", said([1]))
        await talk.end()
        await other.end()


async def test_a_cancelled_session_ends_and_can_be_taken_up(live_mesh: LiveMesh) -> None:
    running = live_mesh.running(sweep_seconds=0.1)
    async with running as (address, first), client_of(address) as client:
        async with talking(address) as talk:
            started = await talk.start()
            await talk.audio("ann", said([1]) + word(2))
            await talk.next("final")
            cancelled = await client.cancel_job(started.session_id)
            assert cancelled.state == job.JOB_STATE_CANCELLED
            ended = (await talk.next("ended"))[0].ended
            assert ended.final_count == 1
            await talk.over.wait()
            assert talk.error is None
        await until(lambda: first.asr.open == 0)
        assert (await client.get_job(started.session_id)).state == job.JOB_STATE_CANCELLED
        await client.retry_job(started.session_id)
        events = [each async for each in client.watch_job(started.session_id)]
        done = events[-1].finished.job
        assert done.state == job.JOB_STATE_COMPLETE
        assert done.results.raw_transcript == "w1"


async def test_a_session_cancelled_while_no_call_had_it_gives_its_end(live_mesh: LiveMesh) -> None:
    async with live_mesh.running() as (address, _), client_of(address) as client:
        async with talking(address) as talk:
            started = await talk.start()
            await talk.audio("ann", said([1]))
            await talk.next("final")
        await client.cancel_job(started.session_id)
        async with talking(address) as again:
            await again.resume(started)
            await again.over.wait()
            assert again.finals() == expected("ann", [1])
            assert again.events[-1].HasField("ended")


@pytest.mark.parametrize("while_it_runs", [False, True])
async def test_nothing_is_left_of_a_deleted_session(
    live_mesh: LiveMesh, tmp_path: Path, while_it_runs: bool
) -> None:
    live_mesh.empty.gateway_options["retention"] = RetentionSettings(removals_seconds=1)
    wanted = config(display_name="Xylophonia", labels={"case": "Quandary"})
    wanted.job.asr_options.hotwords.append("Flibbertigibbet")
    # The track's name is in the log as well.
    words = ("Xylophonia", "Quandary", "Flibbertigibbet", "Zanzibar")
    folders = [live_mesh.empty.nats.store, tmp_path / "blobs"]
    async with live_mesh.running() as (address, _), client_of(address) as client:
        async with talking(address) as talk:
            started = await talk.start(wanted)
            await talk.audio("Zanzibar", said([1, 2]))
            await talk.next("final", 2)
            assert files_with(folders, words).keys() == set(words)
            if not while_it_runs:
                await talk.end()
                assert [each async for each in client.watch_job(started.session_id)]
            await client.delete_job(started.session_id)
            await talk.over.wait()
        with pytest.raises(ClientError) as gone:
            await client.get_job(started.session_id)
        assert gone.value.reason == "JOB_NOT_FOUND"
        async with talking(address) as again:
            await again.send(
                start=live.StartSession(
                    session_id=started.session_id, resume_token=started.resume_token
                )
            )
            assert (await again.failure())[1] == "SESSION_NOT_FOUND"
        assert await none_left(live_mesh.empty, live_mesh.broker, started.session_id)
        assert await SessionLog(live_mesh.broker).read(started.session_id) == []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while files_with(folders, words):
                await asyncio.sleep(0.2)
