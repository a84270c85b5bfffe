"""The client's live sessions at real gateways, with replicas of a typed engine."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie_client import Client, ClientError, LiveOptions, LiveSession
from tests.chaos.silence import SilentProxy
from tests.gateway.conftest import empty_mesh
from tests.gateway.live.conftest import LiveMesh, live_mesh
from tests.gateway.live.listening import decoded, laid, offsets
from tests.gateway.live.running import gateway_process
from tests.gateway.live.speech import said, word
from tests.gateway.live.spoken import Spoken, spoken, whole
from tests.waiting import PATIENCE_SECONDS, until

__all__ = ["empty_mesh", "live_mesh"]

pytestmark = pytest.mark.mesh

FEATURES = ["raw_transcript"]


class Reader:
    """Reads the events of a session as they come."""

    def __init__(self, session: LiveSession) -> None:
        self.events: list[live.TranscribeResponse] = []
        self.reading = asyncio.create_task(self._read(session))

    async def _read(self, session: LiveSession) -> None:
        async for event in session:
            self.events.append(event)

    def words(self, track: str = "") -> list[str]:
        """The finals of a track, in order."""
        return [each.segment.text for each in self._finals(track)]

    def spoken(self, track: str = "") -> Spoken:
        """The words of a track and their lengths; one that a break divided counts once."""
        return spoken(self._finals(track))

    async def whole(self) -> None:
        """Waits for the end, and checks that durable events came once and in order."""
        await self.reading
        numbers = [event.sequence for event in self.events if event.sequence]
        assert numbers == list(range(1, len(numbers) + 1))
        assert self.events[-1].HasField("ended")

    def _finals(self, track: str) -> list[live.Final]:
        finals = [event.final for event in self.events if event.HasField("final")]
        return [each for each in finals if each.track == track]


def words(numbers: Iterable[int]) -> list[str]:
    return [f"w{number}" for number in numbers]


@asynccontextmanager
async def session_at(address: str, *others: str) -> AsyncIterator[tuple[LiveSession, Reader]]:
    async with (
        Client(address) as client,
        client.live(features=FEATURES, gateways=others) as session,
    ):
        reader = Reader(session)
        try:
            yield session, reader
        finally:
            reader.reading.cancel()
            await asyncio.gather(reader.reading, return_exceptions=True)


async def test_tracks_come_and_go_and_the_session_becomes_a_job(live_mesh: LiveMesh) -> None:
    async with live_mesh.running() as (address, _), session_at(address) as (session, reader):
        await session.join("ann", display_name="Ann")
        await session.send(said([1, 2]), "ann")
        await session.send(said([5]), "bob")
        await session.leave("ann")
        await session.send(said([3]), "ann")
        await session.finalize("bob")
        ended = await session.end()
        await reader.whole()
        assert reader.words("ann") == words([1, 2, 3])
        assert reader.words("bob") == words([5])
        assert ended.final_count == 4
        assert session.kept_bytes == 0
        async with Client(address) as client:
            done = await client.get_job(session.session_id)
            assert (await client.get_session(session.resume_point)).ended
    assert done.job_id == session.session_id


async def test_audio_is_kept_where_it_is_asked_for(live_mesh: LiveMesh, tmp_path: Path) -> None:
    sound = said([1, 2, 3])
    async with live_mesh.running() as (address, _), Client(address) as client:
        async with client.live(features=FEATURES, keep_audio=True) as session:
            await session.send(sound)
            await session.end()
            assert session.kept_bytes == 0
        assert [each async for each in client.watch_job(session.session_id)]
        info = await client.save_audio(session.session_id, tmp_path / "talk.flac")
        (begin,) = (await offsets(live_mesh, session.session_id)).values()
    assert info.filename == f"{session.session_id}.flac"
    assert np.array_equal(decoded(tmp_path / "talk.flac"), laid({begin: sound}))


# With the shorter time, the call that fell and the next one race for the words that were spoken.
@pytest.mark.parametrize("linger_seconds", [0.1, 60.0])
async def test_a_connection_that_falls_again_and_again_loses_and_doubles_nothing(
    live_mesh: LiveMesh, linger_seconds: float
) -> None:
    async with (
        live_mesh.running(linger_seconds=linger_seconds) as (address, _),
        SilentProxy(address) as first,
        SilentProxy(address) as second,
        session_at(first.address, second.address) as (session, reader),
    ):
        for number in range(8):
            await session.send(said([number]), "ann")
            await session.send(said([10 + number]), "bob")
            if number % 3 == 0:
                await session.leave("bob")
            await asyncio.sleep(0.05 * (number % 3))
            for proxy in (first, second):
                proxy.hang_up()
        await session.end()
        await reader.whole()
        assert reader.spoken("ann") == whole(range(8))
        assert reader.spoken("bob") == whole(range(10, 18))
        if linger_seconds > 1:
            # The client is back before the words that were being spoken are ended.
            assert reader.words("ann") == words(range(8))
            assert reader.words("bob") == words(range(10, 18))
    starts = sum(event.HasField("started") for event in reader.events)
    assert starts > 1


async def test_a_word_whose_connection_falls_for_long_is_divided_and_not_doubled(
    live_mesh: LiveMesh,
) -> None:
    sound = said([12])
    half = len(said([])) + len(word(12)) // 2
    async with (
        live_mesh.running(linger_seconds=0.0) as (address, first),
        Client(address) as watcher,
        SilentProxy(address) as proxy,
        session_at(proxy.address) as (session, reader),
    ):
        await session.send(sound[:half], "bob")
        await until(lambda: first.asr.received == half // 2)
        proxy.takes_new.clear()
        proxy.hang_up()
        # What the earlier call ends is stored before the next one begins.
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (await watcher.get_session(session.resume_point)).last_sequence:
                await asyncio.sleep(0.02)
        proxy.takes_new.set()
        await session.send(sound[half:], "bob")
        await session.end()
        await reader.whole()
        assert reader.words("bob") == words([12, 12])
        assert reader.spoken("bob") == whole([12])


@pytest.mark.parametrize("gateways", [1, 2])
async def test_a_gateway_that_falls_silent_is_left(live_mesh: LiveMesh, gateways: int) -> None:
    async with (
        live_mesh.running(heartbeat_seconds=0.4) as (address, _),
        SilentProxy(address) as first,
        SilentProxy(address) as second,
        session_at(first.address, *[second.address][: gateways - 1]) as (session, reader),
    ):
        await session.send(said([1]))
        await until(lambda: reader.words() == words([1]))
        first.fall_silent()
        await session.send(said([2]))
        # Long before gRPC's own pings find a silent connection.
        trouble = await until(lambda: session.trouble)
        assert "sent nothing for 1 s" in trouble
        await session.end()
        await reader.whole()
        assert reader.words() == words([1, 2])
    acknowledged = [each.acknowledged for each in reader.events if each.HasField("acknowledged")]
    assert all(each.tracks for each in acknowledged)


async def test_a_session_moves_on_when_its_gateway_drains(live_mesh: LiveMesh) -> None:
    async with live_mesh.replica(), live_mesh.gateway() as stays:
        async with live_mesh.gateway() as leaves, Client(leaves) as client:
            session = await client.live(features=FEATURES, gateways=[stays]).__aenter__()
            reader = Reader(session)
            await session.send(said([1, 2])[:-9600])
            await until(lambda: reader.words() == words([1]))
        await session.send(said([3]))
        await session.end()
        await reader.whole()
        await session.__aexit__(None, None, None)
    assert reader.spoken() == whole([1, 2, 3])


async def test_a_replica_that_is_killed_costs_nothing(live_mesh: LiveMesh) -> None:
    async with live_mesh.running() as (address, first), session_at(address) as (session, reader):
        await session.send(said([1, 2]))
        await until(lambda: len(reader.words()) == 2)
        await session.send(said([3])[:8000])
        async with live_mesh.replica("asr-2"):
            await first.kill()
            await session.send(said([4]))
            await session.end()
            await reader.whole()
    assert reader.words() == ["w1", "w2", "w3 w4"]  # no silence is between the last two
    assert sum(event.HasField("started") for event in reader.events) == 1


async def test_another_process_goes_on_where_this_one_was(live_mesh: LiveMesh) -> None:
    async with live_mesh.running() as (address, _), Client(address) as client:
        async with client.live(features=FEATURES) as session:
            await session.send(said([1, 2]), "ann")
            async for event in session:
                if event.HasField("final"):
                    break
        async with client.live(resume=session.resume_point) as again:
            reader = Reader(again)
            (track,) = again.started.tracks
            # The audio from there on is sent again.
            place = track.durable_offset.ToMilliseconds() * 32
            await again.send((said([1, 2]) + said([3]))[place:], "ann")
            await again.end()
            await reader.reading
        assert again.resume_point.resume_token == session.resume_point.resume_token
    assert reader.spoken("ann") == whole([2, 3])


async def test_a_cancelled_job_ends_its_session(live_mesh: LiveMesh) -> None:
    async with live_mesh.running() as (address, _), session_at(address) as (session, reader):
        await session.send(said([1]))
        await until(reader.words)
        async with Client(address) as client:
            cancelled = await client.cancel_job(session.session_id)
            assert cancelled.state == job.JOB_STATE_CANCELLED
        await reader.whole()
        with pytest.raises(ClientError) as caught:
            await session.send(said([2]))
        assert caught.value.reason == "SESSION_ENDED"


SUMMARISED: LiveOptions = {
    "features": ["raw_transcript", "summary"],
    "template_id": "meeting_notes_v1",
}


@pytest.mark.slow
async def test_a_client_waits_for_the_summary_through_the_death_of_its_gateway(
    live_mesh: LiveMesh,
) -> None:
    async with live_mesh.replica(), live_mesh.gateway() as other:
        async with (
            gateway_process(live_mesh.empty) as (dying, process),
            Client(dying) as client,
            client.live(gateways=[other], **SUMMARISED) as session,
        ):
            reader = Reader(session)
            await session.send(said([1, 2]))
            ended = await session.end(await_summary=True)
            assert ended.final_count == 2
            assert not reader.reading.done()
            os.kill(process.pid, signal.SIGKILL)
            async with live_mesh.stages():
                given = await session.summary()
                await reader.reading
            assert given.HasField("summary")
            assert reader.events[-1].summary == given
            assert reader.words() == words([1, 2])
            assert sum(event.HasField("ended") for event in reader.events) == 1
            point = session.resume_point
            assert point.await_summary
        # Another process has it, too.
        async with Client(other) as client, client.live(resume=point) as again:
            assert await again.summary() == given


async def test_a_summary_that_nobody_asked_for_is_an_error(live_mesh: LiveMesh) -> None:
    async with live_mesh.running() as (address, _), session_at(address) as (session, reader):
        with pytest.raises(ClientError) as refused:
            await session.end(await_summary=True)
        assert refused.value.reason == "SUMMARY_NOT_REQUESTED"
        with pytest.raises(ClientError):
            await reader.reading


async def test_a_session_that_was_ended_without_waiting_has_no_summary_to_give(
    live_mesh: LiveMesh,
) -> None:
    async with live_mesh.running() as (address, _), session_at(address) as (session, reader):
        await session.send(said([1]))
        await session.end()
        await reader.whole()
        with pytest.raises(ClientError) as nothing:
            await session.summary()
        assert nothing.value.reason == "SESSION_ENDED"
