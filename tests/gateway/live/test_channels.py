"""The channels of a track are recognised apart, and become durable together."""

from __future__ import annotations

import os
import signal

import grpc
import numpy as np
import pytest

from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from tests.audio.streams import contained, packets_of
from tests.gateway.live.conftest import LiveMesh, client_of
from tests.gateway.live.conversation import SPLIT, Conversation, config, expected, linear16, talking
from tests.gateway.live.running import gateway_process
from tests.gateway.live.speech import RATE, interleaved, pause, pieces, said, word
from tests.waiting import until

pytestmark = pytest.mark.mesh

OPUS = live.AUDIO_ENCODING_OPUS
OGG_OPUS = live.AUDIO_ENCODING_OGG_OPUS
WEBM_OPUS = live.AUDIO_ENCODING_WEBM_OPUS
FLAC = live.AUDIO_ENCODING_FLAC
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
# A call: somebody speaks while the other one does not.
LEFT, RIGHT = [1, 2, 3], [7, 8]
CALL = interleaved(said(LEFT), pause(0.35) + said(RIGHT))


def two_sides(encoding: live.AudioEncoding = live.AUDIO_ENCODING_LINEAR16) -> live.SessionConfig:
    wanted = config()
    form = live.AudioFormat(encoding=encoding, channels=2, channel_mode=SPLIT)
    if encoding == live.AUDIO_ENCODING_LINEAR16:
        form = linear16(channels=2, split=True)
    wanted.format.CopyFrom(form)
    return wanted


def messages(sound: bytes = CALL) -> list[bytes]:
    """Messages of 100 ms of two channels."""
    return list(pieces(sound, rate=2 * RATE))


async def say(talk: Conversation, contents: list[bytes], track: str = "call") -> None:
    for content in contents:
        message = live.TrackAudio(track=track, sequence=talk.number(track), content=content)
        await talk.send(audio=message)


def of_channel(channel: int, *talks: Conversation) -> list[str]:
    """The finals of a channel, each once and in their order."""
    segments = [each.final.segment for talk in talks for each in talk.of("final")]
    ids = [each.segment_id for each in segments]
    assert len(set(ids)) == len(ids)
    return [each.text for each in segments if each.channel == channel]


def texts(words: list[int]) -> list[str]:
    return [f"w{number}" for number in words]


def encoded(encoding: live.AudioEncoding, size: int = 400) -> list[bytes]:
    samples = np.ascontiguousarray(np.frombuffer(CALL, "<i2").reshape(-1, 2).T)
    at_48_khz = np.repeat(samples, 3, axis=1)
    if encoding == OPUS:
        return list(packets_of(at_48_khz))
    if encoding == FLAC:
        data = contained("flac", samples, RATE)
    else:
        data = contained("ogg_opus" if encoding == OGG_OPUS else "webm_opus", at_48_khz, 48_000)
    return [data[begin : begin + size] for begin in range(0, len(data), size)]


async def test_each_channel_has_its_own_turns_partials_and_finals(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking() as (talk, first):
        started = await talk.start(two_sides())
        assert started.config.format.channel_mode == SPLIT
        await talk.send(join=live.TrackJoin(track="call", sequence=talk.number("call")))
        await say(talk, messages())
        await talk.durable("call", 5)
        await talk.leave("call")
        await talk.durable("call", talk.sent["call"])
        ended = await talk.end()
        assert (of_channel(1, talk), of_channel(2, talk)) == (texts(LEFT), texts(RIGHT))
        assert {each.final.track for each in talk.of("final")} == {"call"}
        assert {each.final.segment.track for each in talk.of("final")} == {1}
        ids = [each.final.segment.segment_id for each in talk.of("final")]
        assert sorted(ids) == [
            *("t01-c1-u0001", "t01-c1-u0002", "t01-c1-u0003"),
            *("t01-c2-u0001", "t01-c2-u0002"),
        ]
        turns = [(each.turn.channel, each.turn.utterance_id) for each in talk.of("turn")]
        assert {f"t01-c{channel}" for channel, _ in turns} == {name[:6] for _, name in turns}
        assert {each.partial.channel for each in talk.of("partial")} == {1, 2}
        # The track is as long as it was sent, however many channels it has.
        assert ended.audio_duration.ToMilliseconds() == len(CALL) // 4 * 1000 // RATE
        assert len(first.asr.configs) == 2


async def test_the_transcript_names_channels_and_speakers_as_that_of_a_recording(
    live_mesh: LiveMesh,
) -> None:
    async with live_mesh.running() as (address, _), client_of(address) as client:
        wanted = two_sides()
        wanted.job.features.append(job.FEATURE_SPEAKERS)
        async with talking(address) as talk:
            started = await talk.start(wanted)
            await say(talk, messages())
            await talk.end()
            finals = [each.final.segment for each in talk.of("final")]
        events = [each async for each in client.watch_job(started.session_id)]
        results = events[-1].finished.job.results
        segments = results.segments
        assert [(each.track, each.channel, each.text) for each in segments] == [
            (0, 1, "w1"),
            (0, 2, "w7"),
            (0, 1, "w2"),
            (0, 2, "w8"),
            (0, 1, "w3"),
        ]
        # A channel is a speaker, and who spoke first is the first.
        voices = {each.channel: each.speaker for each in finals}
        assert (finals[0].speaker, sorted(voices.values())) == ("S1", ["S1", "S2"])
        assert all(each.speaker == voices[each.channel] for each in (*finals, *segments))
        assert all(word.speaker == each.speaker for each in segments for word in each.words)
        assert sorted(each.speaker for each in results.speakers) == ["S1", "S2"]


@pytest.mark.parametrize("encoding", [OPUS, OGG_OPUS, WEBM_OPUS, FLAC])
async def test_channels_of_each_encoding_are_split(
    live_mesh: LiveMesh, encoding: live.AudioEncoding
) -> None:
    async with live_mesh.talking() as (talk, _):
        await talk.start(two_sides(encoding))
        await say(talk, encoded(encoding))
        await talk.end()
        left, right = of_channel(1, talk), of_channel(2, talk)
        assert (len(left), len(right)) == (3, 2)
        if encoding == FLAC:
            assert (left, right) == (texts(LEFT), texts(RIGHT))


async def test_a_stream_whose_channels_are_not_as_stated_is_refused(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking() as (talk, _):
        wanted = two_sides(FLAC)
        wanted.format.channels = 3
        await talk.start(wanted)
        await say(talk, [b"".join(encoded(FLAC))])
        assert await talk.failure() == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "AUDIO_FORMAT_INVALID",
        )


async def test_a_message_is_durable_once_the_speech_of_all_channels_is(
    live_mesh: LiveMesh,
) -> None:
    # The second channel speaks all the time.
    sound = messages(interleaved(said([1, 2]), word(7, 1.5)))
    async with live_mesh.running() as (address, first), talking(address) as talk:
        await talk.start(two_sides())
        await say(talk, sound)
        await talk.next("final", 2)
        assert of_channel(1, talk) == texts([1, 2])

        def received() -> list[live.TrackProgress]:
            tracks = [each.acknowledged.tracks for each in talk.of("acknowledged")]
            return [one for each in tracks for one in each if one.received_sequence == len(sound)]

        await until(lambda: bool(received()))
        assert talk.durable_sequence("call") == 0
        await talk.finalize("call")
        await say(talk, messages(interleaved(pause(1.0), pause(1.0))))
        await talk.next("final", 3)
        assert of_channel(2, talk) == texts([7])
        # What the first channel said long ago is durable with it.
        await talk.durable("call", 11)
        await talk.end()
        assert first.asr.received == 2 * (len(b"".join(sound)) // 4 + RATE)


async def resumed_at(talk: Conversation, again: Conversation, started: live.SessionStarted) -> int:
    """Goes on with a session; gives the message that the track goes on after."""
    resumed = await again.resume(started, max(each.sequence for each in talk.events))
    durable = max((each.durable_sequence for each in resumed.tracks), default=0)
    again.sent["call"] = durable
    return durable


@pytest.mark.parametrize("encoding", [live.AUDIO_ENCODING_LINEAR16, FLAC])
async def test_channels_that_are_not_equally_far_resume_exactly_once(
    live_mesh: LiveMesh, encoding: live.AudioEncoding
) -> None:
    left = [1, 2, 3, 4, 5, 6]
    sound = interleaved(said(left), word(7, 3.5) + pause() + said([8]))
    sent = messages(sound)
    if encoding == FLAC:
        samples = np.ascontiguousarray(np.frombuffer(sound, "<i2").reshape(-1, 2).T)
        data = contained("flac", samples, RATE)
        sent = [data[begin : begin + 300] for begin in range(0, len(data), 300)]
    async with live_mesh.replica(), live_mesh.gateway() as address:
        async with gateway_process(live_mesh.empty) as (dying, process), talking(dying) as talk:
            started = await talk.start(two_sides(encoding))
            await say(talk, sent[: len(sent) * 2 // 3])
            # The first channel is far ahead of the second, which still speaks.
            await talk.next("final", 3)
            assert of_channel(2, talk) == []
            os.kill(process.pid, signal.SIGKILL)
            await talk.failure()
        async with talking(address) as again:
            durable = await resumed_at(talk, again, started)
            assert durable <= 1
            await say(again, sent[durable:])
            await again.end()
        assert of_channel(1, talk, again) == texts(left)
        assert of_channel(2, talk, again) == texts([7, 8])


async def test_a_replica_that_dies_costs_no_channel_anything(live_mesh: LiveMesh) -> None:
    sent = messages()
    async with (
        live_mesh.replica("one") as one,
        live_mesh.replica("two") as two,
        live_mesh.gateway() as address,
        talking(address) as talk,
    ):
        await talk.start(two_sides())
        await say(talk, sent[:11])
        await until(lambda: one.asr.open + two.asr.open == 2)
        await talk.next("final")
        # One track goes to each.
        assert (one.asr.open, two.asr.open) == (1, 1)
        await one.kill()
        await say(talk, sent[11:])
        await talk.end()
        assert (of_channel(1, talk), of_channel(2, talk)) == (texts(LEFT), texts(RIGHT))


async def test_silence_finalize_and_options_hold_for_all_channels(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking() as (talk, first):
        await talk.start(two_sides())
        await say(talk, messages(interleaved(word(1), word(7))))
        await talk.finalize("call")
        finals = [each.final for each in await talk.next("final", 2)]
        assert {each.segment.channel for each in finals} == {1, 2}
        change = live.ConfigureSession(track="call", options={"transcribe": {"hotwords": ["maie"]}})
        await talk.send(configure=change)
        await until(lambda: len(first.asr.configured) == 2)
        await talk.silence("call", 2.0)
        await say(talk, messages(interleaved(word(2), pause(0.1))))
        await talk.end()
        assert (of_channel(1, talk), of_channel(2, talk)) == (texts([1, 2]), texts([7]))
        late = talk.of("final")[-1].final.segment.start_offset.ToMilliseconds()
        first_one = finals[0].segment.start_offset.ToMilliseconds()
        assert late - first_one == 2400


async def test_a_track_is_recognised_whole_or_not_at_all(live_mesh: LiveMesh) -> None:
    sound = messages(interleaved(word(1, 0.3), word(7, 0.3)))
    async with live_mesh.running() as (address, first):
        async with talking(address) as talk:
            # Only one of the channels gets a place.
            first.asr.places = 1
            started = await talk.start(two_sides())
            await say(talk, sound[:1])
            assert await talk.failure() == (EXHAUSTED, "LIVE_BUSY")
            await until(lambda: first.asr.open == 0)
        first.asr.places = None
        async with talking(address) as again:
            resumed = await again.resume(started)
            assert max((each.durable_sequence for each in resumed.tracks), default=0) == 0
            await say(again, sound)
            await again.end()
            assert of_channel(1, talk, again) == texts([1])
            assert of_channel(2, talk, again) == texts([7])


async def test_a_track_without_places_for_its_channels_leaves_the_others(
    live_mesh: LiveMesh,
) -> None:
    async with live_mesh.talking() as (talk, first):
        await talk.start()
        await talk.audio("ann", said([1]))
        await talk.next("final")
        first.asr.places = 2
        join = live.TrackJoin(track="call", format=linear16(channels=2, split=True), sequence=1)
        await talk.send(join=join)
        talk.sent["call"] = 1
        await say(talk, messages()[:3])
        (warned,) = await talk.next("warning")
        assert (warned.warning.track, warned.warning.warning.reason) == ("call", "LIVE_BUSY")
        assert warned.warning.track_dropped
        await until(lambda: first.asr.open == 1)
        await talk.audio("ann", said([2]))
        await talk.next("final", 2)
        assert talk.finals() == expected("ann", [1, 2])


async def test_each_channel_counts_as_a_track(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking(max_tracks=3) as (talk, _):
        await talk.start(two_sides())
        await say(talk, messages())
        await talk.next("final", 2)
        await say(talk, messages()[:1], track="another")
        assert await talk.failure() == (PRECONDITION, "TRACKS_FULL")
