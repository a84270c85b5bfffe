"""Words that a call had taken when a later call took its session, and was cut itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest

from maie.live.v1 import live_pb2 as live
from maie_runtime.bus.session_log import SessionLog
from tests.chaos.silence import SilentProxy
from tests.gateway.live.conftest import LiveMesh
from tests.gateway.live.conversation import Conversation, talking
from tests.gateway.live.running import gateway_process
from tests.gateway.live.speech import pieces, said
from tests.gateway.live.spoken import WORD_MS, Spoken, spoken, whole
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

WORDS = [1, 2, 3]
MESSAGES = list(pieces(said(WORDS)))
# The second word begins with message 9, and each message is a quarter of a word.
BEFORE, MIDDLE = 8, 11
HALF_SAID: Spoken = [("w1", WORD_MS), ("w2", WORD_MS * (MIDDLE - BEFORE) // 4)]
# A gateway takes a session back before another one's call would have let it be abandoned.
SOON = {"resume_seconds": 3.0, "sweep_seconds": 600.0}


async def say(talk: Conversation, first: int, last: int = len(MESSAGES)) -> None:
    """Sends messages, from one sequence to another."""
    for number in range(first, last + 1):
        content = MESSAGES[number - 1]
        await talk.send(audio=live.TrackAudio(track="ann", sequence=number, content=content))


def durable(started: live.SessionStarted) -> int:
    return max((track.durable_sequence for track in started.tracks), default=0)


async def half_say(talk: Conversation) -> live.SessionStarted:
    """Begins a session whose second word is half said."""
    started = await talk.start()
    await say(talk, 1, MIDDLE)
    await talk.next("final")
    await talk.received("ann", MIDDLE)
    return started


async def stored(mesh: LiveMesh, before: live.SessionStarted) -> list[live.Final]:
    entries = [logged.entry for logged in await SessionLog(mesh.broker).read(before.session_id)]
    return [entry.finished.final for entry in entries if entry.HasField("finished")]


async def until_stored(mesh: LiveMesh, before: live.SessionStarted, wanted: Spoken) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (found := spoken(await stored(mesh, before))) != wanted:
            assert len(found) <= len(wanted), found
            await asyncio.sleep(0.02)


async def until_taken(mesh: LiveMesh, before: live.SessionStarted, epoch: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            last = await SessionLog(mesh.broker).last(before.session_id)
            if last is not None and last.entry.epoch >= epoch:
                return
            await asyncio.sleep(0.02)


async def send_resume(talk: Conversation, before: live.SessionStarted) -> None:
    """Sends what resumes a session, and waits for no answer."""
    start = live.StartSession(session_id=before.session_id, resume_token=before.resume_token)
    await talk.send(start=start)


@asynccontextmanager
async def cut_resume(
    mesh: LiveMesh, address: str, before: live.SessionStarted
) -> AsyncIterator[None]:
    """A call that takes the session, and whose connection falls before its client knows."""
    async with (
        SilentProxy(address) as proxy,
        grpc.aio.insecure_channel(proxy.address) as channel,
    ):
        talk = Conversation(channel)
        await send_resume(talk, before)
        await until_taken(mesh, before, 2)
        proxy.takes_new.clear()
        proxy.hang_up()
        yield
        await talk.close()


@asynccontextmanager
async def two_gateways(mesh: LiveMesh, gateways: int) -> AsyncIterator[tuple[str, str]]:
    """The gateway of the first call, and that of the second, which may be the same one."""
    async with mesh.replica(), mesh.gateway() as first, mesh.gateway() as second:
        yield first, second if gateways == 2 else first


@pytest.mark.parametrize("gateways", [1, 2])
async def test_words_are_stored_where_nobody_comes_back(live_mesh: LiveMesh, gateways: int) -> None:
    live_mesh.settings["linger_seconds"] = 2.0
    if gateways == 2:
        live_mesh.settings.update(SOON)
    async with two_gateways(live_mesh, gateways) as (first, second):
        async with talking(first) as talk:
            started = await half_say(talk)
        async with cut_resume(live_mesh, second, started):
            await until_stored(live_mesh, started, HALF_SAID)
        async with talking(second) as late:
            resumed = await late.resume(started)
            assert durable(resumed) == MIDDLE
            await say(late, MIDDLE + 1)
            await late.end()
            assert spoken(event.final for event in late.of("final")) == whole(WORDS)
        assert spoken(await stored(live_mesh, started)) == whole(WORDS)


async def test_words_of_a_call_that_is_still_there_are_stored(live_mesh: LiveMesh) -> None:
    async with two_gateways(live_mesh, 1) as (first, _), talking(first) as talk:
        started = await half_say(talk)
        async with cut_resume(live_mesh, first, started):
            assert (await talk.failure())[1] == "SESSION_TAKEN_OVER"
            await until_stored(live_mesh, started, HALF_SAID)


async def test_what_the_later_call_got_is_not_stored_again(live_mesh: LiveMesh) -> None:
    async with two_gateways(live_mesh, 1) as (first, _):
        async with talking(first) as talk:
            started = await half_say(talk)
            async with talking(first) as later:
                resumed = await later.resume(started)
                await say(later, durable(resumed) + 1, BEFORE + 2)
                await later.received("ann", BEFORE + 2)
        await until_stored(live_mesh, started, HALF_SAID)
        assert len(await stored(live_mesh, started)) == 3


@pytest.mark.parametrize("third", [1, 2])
@pytest.mark.parametrize("second", [1, 2])
async def test_a_third_call_goes_on_with_the_words(
    live_mesh: LiveMesh, second: int, third: int
) -> None:
    live_mesh.settings["linger_seconds"] = 600.0
    async with live_mesh.replica():
        async with live_mesh.gateway() as one, live_mesh.gateway() as two:
            addresses = {1: one, 2: two}
            async with talking(one) as talk:
                started = await half_say(talk)
            cut = cut_resume(live_mesh, addresses[second], started)
            async with cut, talking(addresses[third]) as last:
                resumed = await last.resume(started)
                assert durable(resumed) <= BEFORE
                await say(last, durable(resumed) + 1)
                await last.end()
        # The gateways have stopped: nothing that one of them kept can follow.
        finals = await stored(live_mesh, started)
        assert [final.segment.text for final in finals] == [word for word, _ in whole(WORDS)]
        assert spoken(finals) == whole(WORDS)


async def test_words_outlive_a_gateway_that_dies_as_it_takes_the_session(
    live_mesh: LiveMesh,
) -> None:
    live_mesh.settings.update(SOON)
    gateway = gateway_process(live_mesh.empty, MAIE_FAULT="session.after_taken:kill")
    async with (
        live_mesh.replica(),
        live_mesh.gateway() as first,
        gateway as (dying, process),
    ):
        async with talking(first) as talk:
            started = await half_say(talk)
        async with talking(dying) as later:
            await send_resume(later, started)
            assert (await later.failure())[0] is grpc.StatusCode.UNAVAILABLE
            await process.wait()
        await until_stored(live_mesh, started, HALF_SAID)


async def test_a_gateway_that_stops_stores_what_an_earlier_call_had(live_mesh: LiveMesh) -> None:
    async with live_mesh.replica():
        leaving = live_mesh.gateway()
        address = await leaving.__aenter__()
        async with talking(address) as talk, talking(address) as later:
            started = await half_say(talk)
            await later.resume(started)
            assert (await talk.failure())[1] == "SESSION_TAKEN_OVER"
            await leaving.__aexit__(None, None, None)
            assert (await later.failure())[1] == "STREAM_ENDED"
        assert spoken(await stored(live_mesh, started)) == HALF_SAID
