"""A client can wait for the summary in the call that ends the session, whatever happens then."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import grpc
import pytest

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.worker.stage import StageContext
from tests.gateway.live.conftest import LiveMesh, client_of
from tests.gateway.live.conversation import Conversation, config, talking
from tests.gateway.live.running import gateway_process
from tests.gateway.live.speech import said
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

INVALID = (grpc.StatusCode.INVALID_ARGUMENT, "SUMMARY_NOT_REQUESTED")
SUMMARISED = config(
    features=[job.FEATURE_RAW_TRANSCRIPT, job.FEATURE_SUMMARY], template_id="meeting_notes_v1"
)


@asynccontextmanager
async def waiting(address: str) -> AsyncIterator[tuple[Conversation, live.SessionStarted]]:
    """A call whose session has ended, and that waits for its summary."""
    async with talking(address) as talk:
        started = await talk.start(SUMMARISED)
        await talk.audio("ann", said([1, 2]))
        await talk.end(await_summary=True)
        assert not talk.over.is_set()
        yield talk, started


def kinds(talk: Conversation) -> list[str | None]:
    """The kinds of the events, without those that only say that the gateway is there."""
    found = [each.WhichOneof("event") for each in talk.events]
    return [each for each in found if each != "acknowledged"]


async def test_the_summary_is_the_last_event_and_that_of_the_job(live_mesh: LiveMesh) -> None:
    async with (
        live_mesh.text_stages(),
        live_mesh.running() as (address, _),
        waiting(address) as (talk, started),
        client_of(address) as client,
    ):
        given = await talk.summary()
        done = await client.get_job(started.session_id)
        assert done.state == job.JOB_STATE_COMPLETE
        assert given.summary == done.results.summary
        assert given.summary.template_id == "meeting_notes_v1"
        assert given.summary.engine.engine == "extractive"
        assert given.summary.content.fields.keys() >= {"title", "decisions"}
        assert not given.HasField("missing")
        assert kinds(talk)[-2:] == ["ended", "summary"]


async def test_a_call_that_resumes_gets_the_summary_however_often_it_asks(
    live_mesh: LiveMesh,
) -> None:
    async with live_mesh.running() as (address, _):
        async with waiting(address) as (talk, started):
            last = talk.events[-1].sequence
        async with talking(address) as again, live_mesh.stages():
            await again.resume(started, last, await_summary=True)
            # A client library sends its end again.
            await again.send(end=live.EndSession(await_summary=True))
            given = await again.summary()
            assert given.HasField("summary")
            assert kinds(again) == ["started", "summary"]
        async with talking(address) as later:
            await later.resume(started, await_summary=True)
            assert await later.summary() == given
            assert [each.final.segment.text for each in later.of("final")] == ["w1", "w2"]
        async with talking(address) as done:
            await done.send(
                start=live.StartSession(
                    session_id=started.session_id,
                    resume_token=started.resume_token,
                    after_sequence=last,
                )
            )
            assert (await done.failure())[1] == "SESSION_ENDED"


async def test_another_gateway_gives_the_summary_where_the_first_is_killed(
    live_mesh: LiveMesh,
) -> None:
    async with live_mesh.replica(), live_mesh.gateway() as address:
        async with (
            gateway_process(live_mesh.empty) as (dying, process),
            waiting(dying) as (
                talk,
                started,
            ),
        ):
            os.kill(process.pid, signal.SIGKILL)
            assert (await talk.failure())[0] is grpc.StatusCode.UNAVAILABLE
        async with live_mesh.stages(), talking(address) as again:
            await again.resume(started, talk.of("ended")[0].sequence, await_summary=True)
            assert (await again.summary()).HasField("summary")


async def test_a_gateway_that_stops_sends_the_client_elsewhere(live_mesh: LiveMesh) -> None:
    async with live_mesh.replica(), live_mesh.gateway() as other, AsyncExitStack() as calls:
        async with live_mesh.gateway() as stopping:
            talk, started = await calls.enter_async_context(waiting(stopping))
        (going,) = talk.of("go_away")
        assert going.go_away.time_left.ToMilliseconds() == 500
        assert await talk.failure() == (grpc.StatusCode.UNAVAILABLE, "STREAM_ENDED")
        async with live_mesh.stages(), talking(other) as again:
            await again.resume(started, talk.of("ended")[0].sequence, await_summary=True)
            assert (await again.summary()).HasField("summary")


async def never_fits(_: StageContext) -> None:
    """An engine that never fills the template."""
    raise StageError(Code.INTERNAL, Reason.SUMMARY_INVALID, "It never fits.")


async def test_a_summary_that_fails_gives_the_reason_of_the_job(live_mesh: LiveMesh) -> None:
    live_mesh.empty.stages["summary"].hook = never_fits
    live_mesh.empty.gateway_options["max_retries"] = 0
    async with (
        live_mesh.stages(),
        live_mesh.running() as (address, _),
        waiting(address) as (talk, _started),
    ):
        given = await talk.summary()
    assert not given.HasField("summary")
    assert given.missing == common.Warning(reason="SUMMARY_INVALID", message="It never fits.")


async def test_a_job_that_is_cancelled_or_deleted_meanwhile_is_one_answer(
    live_mesh: LiveMesh,
) -> None:
    async with live_mesh.running() as (address, _), client_of(address) as client:
        async with waiting(address) as (talk, started):
            await client.cancel_job(started.session_id)
            assert (await talk.summary()).missing.reason == "JOB_CANCELLED"
        async with talking(address) as again:
            await again.resume(started, await_summary=True)
            assert (await again.summary()).missing.reason == "JOB_CANCELLED"
        async with waiting(address) as (talk, started):
            await client.delete_job(started.session_id)
            # Its deletion cancels it first.
            assert (await talk.summary()).missing.reason in ("JOB_CANCELLED", "JOB_NOT_FOUND")
        async with talking(address) as again:
            await again.send(
                start=live.StartSession(
                    session_id=started.session_id,
                    resume_token=started.resume_token,
                    await_summary=True,
                )
            )
            assert (await again.failure())[1] == "SESSION_NOT_FOUND"


@pytest.mark.parametrize(
    ("wanted", "end"),
    [
        (config(), live.EndSession(await_summary=True)),
        (SUMMARISED, live.EndSession(await_summary=True, without_summary=True)),
    ],
)
async def test_nobody_waits_for_a_summary_that_is_not_made(
    live_mesh: LiveMesh, wanted: live.SessionConfig, end: live.EndSession
) -> None:
    async with live_mesh.running() as (address, _):
        async with talking(address) as talk:
            started = await talk.start(wanted)
            await talk.audio("ann", said([1]))
            await talk.next("final")
            await talk.send(end=end)
            assert await talk.failure() == INVALID
        async with talking(address) as again:
            # The session goes on, and can be ended.
            await again.resume(started)
            await again.end(without_summary=True)
            assert again.finals() == ["ann:w1"]
        async with talking(address) as late:
            await late.send(
                start=live.StartSession(
                    session_id=started.session_id,
                    resume_token=started.resume_token,
                    await_summary=True,
                )
            )
            assert await late.failure() == INVALID


async def test_a_gateway_shows_that_it_is_there_while_a_client_waits(live_mesh: LiveMesh) -> None:
    async with (
        live_mesh.running(heartbeat_seconds=0.2) as (address, _),
        waiting(address) as (talk, _s),
    ):
        before = len(talk.of("acknowledged"))
        await until(lambda: len(talk.of("acknowledged")) >= before + 3)
        assert kinds(talk)[-1] == "ended"


async def test_a_client_that_waits_says_that_it_is_there(live_mesh: LiveMesh) -> None:
    async with live_mesh.running(idle_seconds=1.0) as (address, _), waiting(address) as (talk, _s):
        # It says so for longer than it may say nothing.
        for _ in range(6):
            await asyncio.sleep(0.3)
            await talk.send(keep_alive=live.KeepAlive())
            assert not talk.over.is_set()
        assert (await talk.failure())[1] == "SESSION_IDLE"


async def test_a_client_that_has_closed_its_side_is_not_idle(live_mesh: LiveMesh) -> None:
    async with live_mesh.running(idle_seconds=0.5) as (address, _), waiting(address) as (talk, _s):
        await talk.call.done_writing()
        await asyncio.sleep(1.0)
        assert not talk.over.is_set()
        async with live_mesh.stages():
            assert (await talk.summary()).HasField("summary")


async def test_a_call_that_waits_takes_no_place_of_a_session(live_mesh: LiveMesh) -> None:
    async with live_mesh.running(max_sessions=1) as (address, _), waiting(address) as (talk, _s):
        async with asyncio.timeout(PATIENCE_SECONDS):
            # The client has the end a moment before the gateway lets go of the session.
            while not await begins(address):
                await asyncio.sleep(0.05)
        assert not talk.over.is_set()


async def begins(address: str) -> bool:
    """Whether there is room for a session."""
    async with talking(address) as talk:
        await talk.send(start=live.StartSession(config=config()))
        await until(lambda: talk.of("started") or talk.over.is_set())
        return bool(talk.of("started"))
