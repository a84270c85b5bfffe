"""Finals are never lost, doubled or changed, whatever dies in the middle of an utterance."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import grpc
import pytest

from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie_runtime.bus.session_log import SessionLog
from tests.gateway.live.conftest import LiveMesh, client_of
from tests.gateway.live.conversation import Conversation, config, expected, talking
from tests.gateway.live.loud_asr import Replica, busy
from tests.gateway.live.running import gateway_process
from tests.gateway.live.speech import pieces, said, word
from tests.gateway.live.spoken import spoken, whole
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

ABORTED = (grpc.StatusCode.ABORTED, "SESSION_TAKEN_OVER")


class Speaker:
    """What somebody says, kept as a client keeps it: until it is durable."""

    def __init__(self, track: str, words: Sequence[int]) -> None:
        self.track = track
        self.words = words
        self._messages = list(pieces(said(words)))

    async def say(self, talk: Conversation, first: int, last: int | None = None) -> None:
        """Sends messages, from one sequence to another."""
        for number in range(first, (last or len(self._messages)) + 1):
            content = self._messages[number - 1]
            audio = live.TrackAudio(track=self.track, sequence=number, content=content)
            await talk.send(audio=audio)

    def expected(self) -> list[str]:
        return expected(self.track, self.words)


# Each word and its pause are seven messages, after one of silence: 11 is in the middle of the
# second word.
MIDDLE = 11


def durable(started: live.SessionStarted, track: str) -> int:
    return max((t.durable_sequence for t in started.tracks if t.track == track), default=0)


def sequences(*talks: Conversation) -> list[int]:
    """The sequences of all durable events that were received, each once."""
    return sorted({event.sequence for talk in talks for event in talk.events if event.sequence})


async def stored(mesh: LiveMesh, session_id: str) -> list[str]:
    """The finals in the log."""
    entries = [logged.entry for logged in await SessionLog(mesh.broker).read(session_id)]
    finals = [entry.finished.final for entry in entries if entry.HasField("finished")]
    assert len({final.segment.segment_id for final in finals}) == len(finals)
    return [f"{final.track}:{final.segment.text}" for final in finals]


def holder(replicas: Iterable[Replica]) -> tuple[Replica, Replica]:
    """The replica that has the track, and the other."""
    one, other = replicas
    return (one, other) if one.asr.open else (other, one)


@asynccontextmanager
async def two_replicas(
    live_mesh: LiveMesh,
) -> AsyncIterator[tuple[Conversation, tuple[Replica, Replica]]]:
    """A call at a gateway with two replicas."""
    async with (
        live_mesh.replica("one") as one,
        live_mesh.replica("two") as two,
        live_mesh.gateway(freeze_seconds=3.0) as address,
        talking(address) as talk,
    ):
        yield talk, (one, two)


@pytest.mark.parametrize("how", ["killed", "frozen", "leaving"])
async def test_a_replica_that_fails_in_an_utterance_costs_nothing(
    live_mesh: LiveMesh, how: str
) -> None:
    ann = Speaker("ann", [1, 2, 3])
    async with two_replicas(live_mesh) as (talk, replicas):
        await talk.start()
        await ann.say(talk, 1, MIDDLE)
        await talk.next("final")
        first, second = holder(replicas)
        await until(lambda: first.asr.received == MIDDLE * 1600)
        match how:
            case "killed":
                await first.kill()
            case "frozen":
                first.asr.running.clear()
            case "leaving":
                first.asr.leaving.set()
        await ann.say(talk, MIDDLE + 1)
        await talk.next("final", 2 if how == "leaving" else 3)
        await talk.end()
        # One that leaves ends the utterance, whose rest is the next one.
        assert len(talk.finals()) == (4 if how == "leaving" else 3)
        assert spoken(event.final for event in talk.of("final")) == whole(ann.words)
        (again,) = second.asr.configs
        assert again.next_utterance > 1
        assert again.settled_offset.ToNanoseconds() >= again.start_offset.ToNanoseconds() > 0
        assert sequences(talk) == list(range(1, len(talk.of("final")) + 2))


async def test_a_replica_that_freezes_while_nothing_is_sent_is_left(live_mesh: LiveMesh) -> None:
    ann = Speaker("ann", [1, 2])
    async with two_replicas(live_mesh) as (talk, replicas):
        await talk.start()
        await ann.say(talk, 1)
        await talk.next("final")
        first, second = holder(replicas)
        # It has answered everything that it was sent.
        await until(lambda: bool(talk.of("acknowledged")))
        first.asr.running.clear()
        await until(lambda: second.asr.open == 1)
        await talk.end()
        assert talk.finals() == ann.expected()


async def test_a_track_waits_for_a_replica_that_comes_back(live_mesh: LiveMesh) -> None:
    ann = Speaker("ann", [1, 2])
    async with live_mesh.gateway() as address, talking(address) as talk:
        async with live_mesh.replica("one") as one:
            await talk.start()
            await ann.say(talk, 1, MIDDLE)
            await talk.next("final")
            await one.kill()
        await ann.say(talk, MIDDLE + 1)
        async with live_mesh.replica("two"):
            await talk.next("final", 2)
            await talk.end()
        assert talk.finals() == ann.expected()


async def test_a_busy_replica_leaves_the_track_to_another(live_mesh: LiveMesh) -> None:
    ann = Speaker("ann", [1, 2])
    async with (
        live_mesh.replica("one") as one,
        live_mesh.replica("two") as two,
        live_mesh.gateway() as address,
        talking(address) as talk,
    ):
        one.asr.refusal = busy()
        await talk.start()
        await ann.say(talk, 1)
        await talk.end()
        assert talk.finals() == ann.expected()
        assert (len(one.asr.configs), len(two.asr.configs)) == (0, 1)


@pytest.mark.parametrize("gateways", [1, 2])
async def test_the_later_of_two_clients_has_the_session(live_mesh: LiveMesh, gateways: int) -> None:
    ann = Speaker("ann", [1, 2, 3])
    async with live_mesh.replica(), live_mesh.gateway() as one, live_mesh.gateway() as two:
        later = two if gateways == 2 else one
        async with talking(one) as talk, talking(later) as other:
            started = await talk.start()
            await ann.say(talk, 1, MIDDLE)
            await talk.next("final")
            resumed = await other.resume(started)
            # Without any further message of its client.
            assert await talk.failure() == ABORTED
            await ann.say(other, durable(resumed, "ann") + 1)
            await other.end()
            assert other.finals() == ann.expected()
            assert await stored(live_mesh, started.session_id) == ann.expected()


async def test_a_fenced_gateway_stores_no_late_final(live_mesh: LiveMesh) -> None:
    ann = Speaker("ann", [1, 2])
    async with (
        live_mesh.replica("one") as one,
        live_mesh.gateway() as first,
        live_mesh.gateway() as second,
        talking(first) as talk,
        talking(second) as other,
    ):
        started = await talk.start()
        await ann.say(talk, 1, MIDDLE)
        await talk.next("final")
        await until(lambda: one.asr.received == MIDDLE * 1600)
        one.asr.running.clear()
        await ann.say(talk, MIDDLE + 1)
        async with live_mesh.replica("two"):
            resumed = await other.resume(started)
            one.asr.running.set()
            assert await talk.failure() == ABORTED
            await ann.say(other, durable(resumed, "ann") + 1)
            await other.end()
        assert await stored(live_mesh, started.session_id) == ann.expected()
        assert other.finals() == ann.expected()


async def test_a_killed_gateway_leaves_the_session_to_another(live_mesh: LiveMesh) -> None:
    ann, bob = Speaker("ann", [1, 2, 3]), Speaker("bob", [4, 5, 6])
    async with live_mesh.replica(), live_mesh.gateway() as address:
        async with gateway_process(live_mesh.empty) as (dying, process), talking(dying) as talk:
            started = await talk.start()
            for speaker in (ann, bob):
                await speaker.say(talk, 1, MIDDLE)
            await talk.next("final", 2)
            os.kill(process.pid, signal.SIGKILL)
            assert (await talk.failure())[0] is grpc.StatusCode.UNAVAILABLE
        async with talking(address) as again:
            resumed = await again.resume(started, after=max(sequences(talk)))
            for speaker in (ann, bob):
                await speaker.say(again, durable(resumed, speaker.track) + 1)
            await again.end()
        finals = talk.finals() + again.finals()
        assert sorted(finals) == sorted(ann.expected() + bob.expected())
        assert sequences(talk, again) == list(range(1, 8))
        for speaker in (ann, bob):
            assert [each for each in finals if each.startswith(speaker.track)] == speaker.expected()


async def test_a_broker_that_restarts_costs_nothing(live_mesh: LiveMesh) -> None:
    ann = Speaker("ann", [1, 2, 3])
    async with live_mesh.talking() as (talk, _):
        started = await talk.start()
        await ann.say(talk, 1, MIDDLE)
        await talk.next("final")
        await live_mesh.empty.nats.stop(kill=True)
        await ann.say(talk, MIDDLE + 1)
        await live_mesh.empty.nats.start()
        await talk.next("final", 3)
        await talk.end()
        assert talk.finals() == ann.expected()
        assert await stored(live_mesh, started.session_id) == ann.expected()


async def test_a_client_that_breaks_off_goes_on_where_it_was(live_mesh: LiveMesh) -> None:
    ann = Speaker("ann", [1, 2, 3])
    async with live_mesh.running(linger_seconds=60.0) as (address, first):
        async with talking(address) as talk:
            started = await talk.start()
            await ann.say(talk, 1, MIDDLE)
            await talk.next("final")
        async with talking(address) as again:
            resumed = await again.resume(started, 1)
            assert durable(resumed, "ann") > 0
            await ann.say(again, durable(resumed, "ann") + 1)
            await again.end()
        assert talk.finals() + again.finals() == ann.expected()
        await until(lambda: first.asr.open == 0)


async def test_a_client_that_stays_away_leaves_its_last_words(live_mesh: LiveMesh) -> None:
    async with live_mesh.running() as (address, _):
        async with talking(address) as talk:
            started = await talk.start()
            await talk.audio("ann", said([1]) + word(2))
            await talk.next("final")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await stored(live_mesh, started.session_id) != expected("ann", [1, 2]):
                await asyncio.sleep(0.02)
        async with talking(address) as again:
            resumed = await again.resume(started, 1)
            assert durable(resumed, "ann") == talk.sent["ann"]
            await again.end()
            assert again.finals() == expected("ann", [2])


async def test_a_gateway_that_stops_sends_its_clients_elsewhere(live_mesh: LiveMesh) -> None:
    ann = Speaker("ann", [1, 2, 3])
    async with live_mesh.replica(), live_mesh.gateway() as address:
        leaving = live_mesh.gateway()
        first = await leaving.__aenter__()
        async with talking(first) as talk:
            started = await talk.start()
            await ann.say(talk, 1, MIDDLE)
            await talk.next("final")
            stopping = asyncio.create_task(leaving.__aexit__(None, None, None))
            (going,) = await talk.next("go_away")
            assert going.go_away.time_left.ToNanoseconds() > 0
            async with talking(address) as again:
                resumed = await again.resume(started, 1)
                await ann.say(again, durable(resumed, "ann") + 1)
                await again.end()
            assert await talk.failure() == ABORTED
            await stopping
        assert talk.finals() + again.finals() == ann.expected()


async def test_a_gateway_that_stops_stores_what_was_said(live_mesh: LiveMesh) -> None:
    async with live_mesh.replica():
        leaving = live_mesh.gateway()
        first = await leaving.__aenter__()
        async with talking(first) as talk:
            started = await talk.start()
            await talk.audio("ann", said([1]) + word(2))
            await talk.next("final")
            stopping = asyncio.create_task(leaving.__aexit__(None, None, None))
            await talk.next("go_away")
            assert await talk.failure() == (grpc.StatusCode.UNAVAILABLE, "STREAM_ENDED")
            await stopping
        assert await stored(live_mesh, started.session_id) == expected("ann", [1, 2])


async def test_a_session_that_nobody_resumes_ends_at_any_gateway(live_mesh: LiveMesh) -> None:
    async with live_mesh.replica():
        async with gateway_process(live_mesh.empty) as (dying, process), talking(dying) as talk:
            started = await talk.start()
            await talk.audio("ann", said([1]))
            await talk.next("final")
            os.kill(process.pid, signal.SIGKILL)
            await talk.failure()
        another = live_mesh.gateway(resume_seconds=1.0, sweep_seconds=0.1)
        async with another as address, client_of(address) as client:
            events = [each async for each in client.watch_job(started.session_id)]
            done = events[-1].finished.job
            assert done.state == job.JOB_STATE_COMPLETE
            assert done.results.raw_transcript == "w1"
            async with talking(address) as late:
                await late.resume(started)
                await late.over.wait()
                assert late.finals() == expected("ann", [1])
                assert late.events[-1].HasField("ended")


async def place(mesh: LiveMesh, session_id: str) -> int:
    """The place of the session's last entry."""
    last = await SessionLog(mesh.broker).last(session_id)
    assert last is not None
    return last.place


async def test_a_session_whose_call_is_quiet_is_not_abandoned(live_mesh: LiveMesh) -> None:
    running = live_mesh.running(resume_seconds=2.0, sweep_seconds=0.1)
    async with running as (address, _), talking(address) as talk:
        started = await talk.start()
        await talk.audio("ann", said([1]))
        await talk.next("final")
        for _ in range(3):  # each time it writes again, without any message
            before = await place(live_mesh, started.session_id)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await place(live_mesh, started.session_id) == before:
                    await asyncio.sleep(0.05)
        await talk.audio("ann", said([2]))
        await talk.end()
        assert talk.finals() == expected("ann", [1, 2])


@pytest.mark.parametrize(
    "fault", ["session.after_begin", "session.after_ended", "session.after_transcript"]
)
async def test_a_gateway_that_dies_at_an_end_leaves_no_job_behind(
    live_mesh: LiveMesh, fault: str
) -> None:
    async with live_mesh.replica():
        dying = gateway_process(live_mesh.empty, MAIE_FAULT=f"{fault}:kill")
        async with dying as (address, process), talking(address) as talk:
            if fault == "session.after_begin":
                await talk.send(start=live.StartSession(config=config()))
            else:
                await talk.start()
                await talk.audio("ann", said([1]))
                await talk.send(end=live.EndSession())
            await talk.failure()
            await process.wait()
        another = live_mesh.gateway(resume_seconds=1.0, sweep_seconds=0.1)
        async with another as address, client_of(address) as client:
            (made,) = [each async for each in client.list_jobs()]
            events = [each async for each in client.watch_job(made.job_id)]
            done = events[-1].finished.job
            assert done.state == job.JOB_STATE_COMPLETE
            said_so_far = "" if fault == "session.after_begin" else "w1"
            assert done.results.raw_transcript == said_so_far
