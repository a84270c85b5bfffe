"""People who share a track get labels after their finals, each once, whatever happens."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import grpc
import pytest

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie_core.reasons import WarningReason
from tests.gateway.live.conftest import LiveMesh, client_of
from tests.gateway.live.conversation import RAW, Conversation, config, talking
from tests.gateway.live.loud_asr import LEVEL_STEP
from tests.gateway.live.speech import pause, word
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh


def person(level: int) -> int:
    """Who says a word of a level: odd words are one person's, even ones another's."""
    return round((level - 1000) / LEVEL_STEP) % 2


def shared(**of_job: object) -> live.SessionConfig:
    """A config whose tracks are shared."""
    wanted = config(features=[RAW, job.FEATURE_SPEAKERS], **of_job)
    wanted.several_speakers = True
    return wanted


def speech(*words: int) -> bytes:
    return b"".join(word(each, 2.2) + pause() for each in words)


def labels(*talks: Conversation) -> dict[str, str]:
    """The speaker of each utterance; each is labelled once."""
    found = [each.speaker_labels for talk in talks for each in talk.of("speaker_labels")]
    assert len({each.utterance_id for each in found}) == len(found)
    return {each.utterance_id: each.speaker for each in found}


async def known_diarizers(address: str, count: int) -> None:
    """Waits until a gateway knows so many diarization services."""
    async with client_of(address) as client, asyncio.timeout(PATIENCE_SECONDS):
        while count != sum(
            len(stage.workers)
            for stage in (await client.get_mesh()).stages
            if stage.stage == common.STAGE_DIARIZATION
        ):
            await asyncio.sleep(0.05)


async def finished(address: str, session_id: str) -> job.Job:
    async with client_of(address) as client:
        events = [each async for each in client.watch_job(session_id)]
    return events[-1].finished.job


async def test_two_people_on_one_track_are_told_apart_by_whichever_gateway(
    live_mesh: LiveMesh,
) -> None:
    running = live_mesh.running(settle_seconds=1.0)
    async with live_mesh.diarization(person), running as (first, _), live_mesh.gateway() as second:
        async with talking(first) as talk:
            started = await talk.start(shared())
            assert started.config.several_speakers
            await talk.audio("room", speech(1, 3, 2))
            await talk.next("speaker_labels", 1)
            await talk.next("final", 3)
            assert not any(each.final.segment.HasField("speaker") for each in talk.of("final"))
            seen = talk.events[-1].sequence or max(each.sequence for each in talk.events)
        async with talking(second) as again:
            resumed = await again.resume(started, after=seen)
            (progress,) = resumed.tracks
            # A client sends again what is not durable, of three words and their pauses.
            sound = speech(1, 3, 2, 4, 5)
            again.sent["room"] = progress.durable_sequence
            await again.audio("room", sound[progress.durable_sequence * 3200 :])
            await again.end()
    numbers = [each.sequence for talks in (talk, again) for each in talks.events if each.sequence]
    assert sorted(set(numbers)) == list(range(1, 12))
    told = labels(talk, again)
    assert list(told) == [f"t01-u{number:04d}" for number in range(1, 6)]
    assert list(told.values()) == ["S1", "S1", "S2", "S2", "S1"]


async def test_another_replica_knows_the_speakers_of_the_one_that_stopped(
    live_mesh: LiveMesh,
) -> None:
    async with live_mesh.running() as (address, _), talking(address) as talk:
        async with AsyncExitStack() as first:
            await first.enter_async_context(live_mesh.diarization(person, "one"))
            await known_diarizers(address, 1)
            await talk.start(shared())
            await talk.audio("room", speech(1, 3, 2, 4))
            await talk.next("speaker_labels", 2)
            async with live_mesh.diarization(person, "two"):
                await known_diarizers(address, 2)
                await first.aclose()
                await talk.audio("room", speech(6, 5))
                await talk.end()
        assert list(labels(talk).values()) == ["S1", "S1", "S2", "S2", "S2", "S1"]
        assert not talk.of("warning")


async def test_the_job_has_the_speakers_and_says_whose_text_is_without(live_mesh: LiveMesh) -> None:
    running = live_mesh.running(patience_seconds=0.0, speakers_end_seconds=float(PATIENCE_SECONDS))
    async with running as (address, _), talking(address) as talk:
        started = await talk.start(shared())
        await talk.audio("hall", speech(1))
        (event,) = await talk.next("warning")
        assert event.warning.warning.reason == WarningReason.SPEAKERS_MISSING
        assert not event.warning.track_dropped
        await talk.leave("hall")
        async with live_mesh.diarization(person):
            await known_diarizers(address, 1)
            await talk.audio("room", speech(1, 2, 4, 3))
            await talk.next("speaker_labels", 2)
            await talk.end()
        assert labels(talk) == {
            "t02-u0001": "S1",
            "t02-u0002": "S2",
            "t02-u0003": "S2",
            "t02-u0004": "S1",
        }
        done = await finished(address, started.session_id)
    assert [each.speaker for each in done.results.segments] == ["", "S1", "S2", "S2", "S1"]
    assert [each.speaker for each in done.results.speakers] == ["S1", "S2"]
    assert [each.speaker for each in done.results.speaker_turns] == ["S1", "S2", "S2", "S1"]
    (missing,) = done.results.warnings
    assert missing.reason == WarningReason.SPEAKERS_MISSING
    assert missing.range.end_offset == done.results.segments[0].end_offset
    assert {each.engine.engine for each in done.versions.stages} == {"loud", "pitch"}


async def test_tracks_of_one_person_each_are_as_before(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking() as (talk, _):
        wanted = shared()
        join = live.TrackJoin(track="ann", sequence=talk.number("ann"), several_speakers=False)
        await talk.start(wanted)
        await talk.send(join=join)
        await talk.audio("ann", speech(1))
        await talk.end()
        (final,) = talk.of("final")
        assert final.final.segment.speaker == "S1"
        assert not talk.of("speaker_labels")
        assert not talk.of("warning")


async def test_several_speakers_need_a_job_that_asks_for_them(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking() as (talk, _):
        wanted = config()
        wanted.several_speakers = True
        await talk.send(start=live.StartSession(config=wanted))
        refused = await talk.failure()
        assert refused == (grpc.StatusCode.INVALID_ARGUMENT, "OPTION_NOT_SUPPORTED")
