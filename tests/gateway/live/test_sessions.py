"""A session from its start to the job that it becomes."""

from __future__ import annotations

import grpc
import pytest

from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import live_pb2_grpc
from tests.gateway.live.conftest import LiveMesh, client_of
from tests.gateway.live.conversation import config, expected, talking
from tests.gateway.live.speech import pause, said, word
from tests.waiting import until

pytestmark = pytest.mark.mesh


async def test_each_utterance_has_one_final_and_then_its_audio_is_durable(
    live_mesh: LiveMesh,
) -> None:
    async with live_mesh.talking() as (talk, _):
        started = await talk.start()
        assert started.max_tracks == 16
        assert not started.tracks
        assert started.resume_duration.seconds == 300
        await talk.audio("ann", said([1, 2, 3]))
        await talk.next("final", 3)
        assert talk.finals() == expected("ann", [1, 2, 3])
        assert [each.sequence for each in talk.of("final")] == [1, 2, 3]
        segments = [each.final.segment for each in talk.of("final")]
        assert [each.segment_id for each in segments] == ["t01-u0001", "t01-u0002", "t01-u0003"]
        assert all(each.track == 1 for each in segments)
        await talk.durable("ann", 17)
        ended = await talk.end()
        assert (ended.job_id, ended.final_count) == (started.session_id, 3)
        assert sum(each.count for each in ended.latencies) == 3
        assert ended.audio_duration.ToMilliseconds() == 2200
        await talk.over.wait()
        assert talk.error is None
        assert talk.events[-1].sequence == 4
    begun = [each.turn for each in talk.of("turn")]
    assert [turn.utterance_id for turn in begun[::2]] == [each.segment_id for each in segments]


async def test_tracks_are_numbered_as_they_begin_and_end_one_by_one(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking() as (talk, first):
        await talk.start()
        join = live.TrackJoin(track="bob", display_name="Bob", language_code="de", sequence=1)
        await talk.send(join=join)
        talk.sent["bob"] = 1
        await talk.audio("bob", said([1]))
        await talk.audio("ann", said([2]))
        await talk.next("final", 2)
        numbers = {each.final.track: each.final.segment.track for each in talk.of("final")}
        assert sorted(numbers.values()) == [1, 2]
        spoken = {config.options.transcribe.language_code for config in first.asr.configs}
        assert spoken == {"de", ""}
        await talk.leave("bob")
        await talk.durable("bob", talk.sent["bob"])
        await until(lambda: first.asr.open == 1)
        # A new track of the same name, whose messages go on counting.
        await talk.audio("bob", said([3]))
        await talk.next("final", 3)
        assert talk.of("final")[-1].final.segment.segment_id == "t03-u0001"
        await talk.end()


async def test_silence_and_finalize_take_the_place_of_audio(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking(settle_seconds=1.0) as (talk, first):
        await talk.start()
        await talk.silence("ann", 3600)
        await talk.durable("ann", 1)
        await talk.audio("ann", word(4))
        await talk.finalize("ann")
        (final,) = await talk.next("final")
        assert final.final.segment.start_offset.seconds in (3600, 3601)
        assert talk.finals() == expected("ann", [4])
        ended = await talk.end()
        assert ended.audio_duration.ToMilliseconds() == 3_600_400
    assert first.asr.received == 6400


async def test_the_session_is_a_job_while_it_runs_and_afterwards(live_mesh: LiveMesh) -> None:
    async with live_mesh.running() as (address, _), client_of(address) as client:
        wanted = config(display_name="Standup", labels={"team": "a"})
        async with talking(address) as talk:
            started = await talk.start(wanted)
            (listed,) = [each async for each in client.list_jobs()]
            assert listed.job_id == started.session_id
            assert listed.state == job.JOB_STATE_PROCESSING_ASR
            assert (listed.display_name, dict(listed.labels)) == ("Standup", {"team": "a"})
            await talk.audio("ann", said([1]))
            await talk.audio("bob", said([2]))
            await talk.next("final", 2)
            await talk.end()
        events = [each async for each in client.watch_job(started.session_id)]
        done = events[-1].finished.job
        assert done.state == job.JOB_STATE_COMPLETE
        assert sorted(done.results.raw_transcript.split("\n")) == ["w1", "w2"]
        assert done.results.language_code == "en"
        assert {each.engine.engine for each in done.versions.stages} == {"loud"}
        assert done.metrics.input_duration.ToMilliseconds() >= 800


async def test_enhancement_and_summary_follow_the_session(live_mesh: LiveMesh) -> None:
    wanted = config(
        features=[job.FEATURE_CLEAN_TRANSCRIPT, job.FEATURE_SUMMARY],
        template_id="meeting_notes_v1",
    )
    async with (
        live_mesh.stages(),
        live_mesh.running() as (address, _),
        client_of(address) as client,
    ):
        for without in (False, True):
            async with talking(address) as talk:
                started = await talk.start(wanted)
                await talk.audio("ann", said([1]))
                await talk.end(without_summary=without)
            done = [each async for each in client.watch_job(started.session_id)][-1].finished.job
            assert done.state == job.JOB_STATE_COMPLETE
            assert done.results.clean_transcript == "Chunk 0."
            assert done.results.HasField("summary") is not without


async def test_other_formats_are_heard_alike(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking() as (talk, first):
        await talk.start()
        join = live.TrackJoin(track="ann", sequence=1)
        join.format.CopyFrom(
            live.AudioFormat(
                encoding=live.AUDIO_ENCODING_LINEAR16, sample_rate_hertz=48_000, channels=2
            )
        )
        await talk.send(join=join)
        # Each sample of both channels, three times over.
        sound = said([1, 2])
        frames = b"".join(sound[place : place + 2] * 6 for place in range(0, len(sound), 2))
        for number, place in enumerate(range(0, len(frames), 19_200), start=2):
            content = frames[place : place + 19_200]
            await talk.send(audio=live.TrackAudio(track="ann", sequence=number, content=content))
        await talk.next("final", 2)
        ended = await talk.end()
        assert ended.audio_duration.ToMilliseconds() == len(sound) // 32
    assert first.asr.received == len(sound) // 2


async def test_options_change_from_the_next_utterance_on(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking() as (talk, first):
        await talk.start()
        await talk.audio("ann", said([1]))
        await talk.next("final")
        change = live.ConfigureSession()
        change.options.transcribe.hotwords.append("maie")
        await talk.send(configure=change)
        await until(lambda: first.asr.configured)
        assert list(first.asr.configured[0].transcribe.hotwords) == ["maie"]
        await talk.audio("bob", said([2]))
        await talk.next("final", 2)
        assert list(first.asr.configs[-1].options.transcribe.hotwords) == ["maie"]
        await talk.end()


async def test_a_gateway_with_nothing_to_say_sends_heartbeats(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking(heartbeat_seconds=0.2) as (talk, _):
        started = await talk.start()
        assert started.heartbeat_interval.ToMilliseconds() == 200
        await talk.next("acknowledged", 3)
        assert not any(each.acknowledged.tracks for each in talk.of("acknowledged"))
        await talk.end()


async def test_get_session_says_how_far_it_is(live_mesh: LiveMesh) -> None:

    async with live_mesh.running() as (address, _), talking(address) as talk:
        started = await talk.start()
        await talk.audio("ann", said([1]) + pause(0.2))
        await talk.next("final")
        async with grpc.aio.insecure_channel(address) as channel:
            stub = live_pb2_grpc.LiveServiceStub(channel)
            request = live.GetSessionRequest(
                session_id=started.session_id, resume_token=started.resume_token
            )
            seen = await stub.GetSession(request)
            assert (seen.ended, seen.last_sequence) == (False, 1)
            assert [each.track for each in seen.tracks] == ["ann"]
            await talk.end()
            seen = await stub.GetSession(request)
            assert (seen.ended, seen.last_sequence) == (True, 2)
            request.resume_token = "another"
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.GetSession(request)
            assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
