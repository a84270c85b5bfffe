"""Each bad input has one clear status and reason; no other track or session is touched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from maie.asr.v1 import asr_pb2 as asr
from maie.asr.v1 import streaming_pb2 as streaming
from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_core.errors import invalid
from maie_core.reasons import Reason
from tests.gateway.live.conftest import LiveMesh
from tests.gateway.live.conversation import Conversation, config, expected, linear16, talking
from tests.gateway.live.speech import said
from tests.waiting import until

pytestmark = pytest.mark.mesh

INVALID = grpc.StatusCode.INVALID_ARGUMENT


def audio(content: bytes = b"\0\0", track: str = "ann", sequence: int = 1) -> dict[str, Any]:
    return {"audio": live.TrackAudio(track=track, sequence=sequence, content=content)}


def silence(seconds: int) -> dict[str, Any]:
    message = live.TrackSilence(track="ann", sequence=1, duration=Duration(seconds=seconds))
    return {"silence": message}


def join(**of: Any) -> dict[str, Any]:
    return {"join": live.TrackJoin(**{"track": "ann", "sequence": 1, **of})}


def configure(**options: Any) -> dict[str, Any]:
    changed = streaming.StreamingOptions(**options)
    return {"configure": live.ConfigureSession(options=changed)}


TURNS = streaming.TurnOptions(min_silence=Duration(seconds=6))
TRANSLATE = asr.TranscribeOptions(task=asr.TRANSCRIBE_TASK_TRANSLATE)


@asynccontextmanager
async def others(address: str) -> AsyncIterator[Conversation]:
    """Another session that is under way, and that goes on when the block is left."""
    async with talking(address) as other:
        await other.start()
        await other.audio("zoe", said([1]))
        await other.next("final")
        yield other
        await other.audio("zoe", said([2]))
        await other.end()
        assert other.finals() == expected("zoe", [1, 2])


@pytest.fixture(scope="module")
async def address(shared_live_mesh: LiveMesh) -> AsyncIterator[str]:
    """A gateway with a replica, for what ends a call and no more."""
    async with shared_live_mesh.running() as (address, _):
        yield address


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (audio(b""), "AUDIO_PART_INVALID"),
        (audio(b"\0\0\0"), "AUDIO_PART_INVALID"),
        (audio(b"\0" * 1_048_576), "AUDIO_PART_INVALID"),
        (audio(sequence=2), "AUDIO_SEQUENCE_GAP"),
        (audio(sequence=0), "AUDIO_SEQUENCE_GAP"),
        (audio(sequence=-1), "AUDIO_SEQUENCE_GAP"),
        (audio(track="x" * 65), "TRACK_INVALID"),
        (audio(track="a\nb"), "TRACK_INVALID"),
        (silence(0), "AUDIO_PART_INVALID"),
        (silence(3601), "AUDIO_PART_INVALID"),
        (silence(-5), "AUDIO_PART_INVALID"),
        (join(display_name="x" * 201), "TRACK_INVALID"),
        (join(format=linear16(4000)), "AUDIO_FORMAT_INVALID"),
        (join(format=linear16(channels=9)), "AUDIO_FORMAT_INVALID"),
        (join(language_code="not a tag"), "LANGUAGE_INVALID"),
        (join(track="bob"), "TRACK_INVALID"),
        (configure(turns=TURNS), "OPTION_OUT_OF_RANGE"),
        (configure(partials={"min_stability": 1.5}), "OPTION_OUT_OF_RANGE"),
        (configure(transcribe=TRANSLATE), "OPTION_NOT_SUPPORTED"),
        ({"start": live.StartSession(config=config())}, "STREAM_OUT_OF_ORDER"),
        ({}, "STREAM_OUT_OF_ORDER"),
    ],
)
async def test_a_wrong_message_ends_its_call_and_loses_nothing(
    address: str, message: dict[str, Any], reason: str
) -> None:
    async with others(address):
        async with talking(address) as talk:
            started = await talk.start()
            await talk.audio("bob", said([3]))
            if "join" in message and message["join"].track == "bob":
                message["join"].sequence = talk.number("bob")
            await talk.send(**message)
            assert await talk.failure() == (INVALID, reason)
        # What the other track said before is there; what is not durable yet is sent again.
        async with talking(address) as again:
            await again.resume(started)
            await again.audio("bob", said([3]))
            await again.next("final")
            assert again.finals() == expected("bob", [3])
            assert (await again.end()).final_count == 1


SPLIT, OPUS = preprocess.CHANNEL_MODE_SPLIT, live.AUDIO_ENCODING_OPUS
AUTO = live.AudioFormat(
    encoding=live.AUDIO_ENCODING_LINEAR16,
    sample_rate_hertz=8000,
    channels=2,
    channel_mode=preprocess.CHANNEL_MODE_AUTO,
)
UNSTATED = live.AudioFormat(encoding=live.AUDIO_ENCODING_FLAC, channel_mode=SPLIT)
THREE = live.AudioFormat(encoding=OPUS, channels=3, channel_mode=SPLIT)
WEBHOOK = job.Webhook(url="http://10.0.0.1/", secret="s" * 20)
SILENCE = asr.TranscribeOptions(silence=asr.SilenceOptions(vad_filter=True))


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (live.SessionConfig(job=config().job), "AUDIO_FORMAT_INVALID"),
        (live.SessionConfig(format=linear16(1), job=config().job), "AUDIO_FORMAT_INVALID"),
        (live.SessionConfig(format=AUTO, job=config().job), "AUDIO_FORMAT_INVALID"),
        (live.SessionConfig(format=UNSTATED, job=config().job), "AUDIO_FORMAT_INVALID"),
        (live.SessionConfig(format=THREE, job=config().job), "AUDIO_FORMAT_INVALID"),
        (config(filename="a.wav"), "FIELD_INVALID"),
        (config(request_id="monday"), "FIELD_INVALID"),
        (config(lane=job.LANE_BATCH), "FIELD_INVALID"),
        (config(chunk_duration=Duration(seconds=4)), "CHUNK_DURATION_INVALID"),
        (config(features=[job.FEATURE_SUMMARY]), "TEMPLATE_REQUIRED"),
        (config(labels={"A": "b"}), "LABELS_INVALID"),
        (config(features=[job.FEATURE_QUALITY]), "OPTION_NOT_SUPPORTED"),
        (config(features=[job.FEATURE_READING]), "OPTION_NOT_SUPPORTED"),
        (config(asr_options=TRANSLATE), "OPTION_NOT_SUPPORTED"),
        (config(asr_options=SILENCE), "OPTION_NOT_SUPPORTED"),
        (config(webhooks=[WEBHOOK]), "URI_NOT_ALLOWED"),
        (
            live.SessionConfig(format=linear16(), job=config().job, turns=TURNS),
            "OPTION_OUT_OF_RANGE",
        ),
    ],
)
async def test_a_wrong_config_begins_no_session(
    address: str, wanted: live.SessionConfig, reason: str
) -> None:
    async with talking(address) as talk:
        await talk.send(start=live.StartSession(config=wanted))
        assert await talk.failure() == (INVALID, reason)
        assert talk.events == []


async def test_an_unknown_template_begins_no_session(address: str) -> None:
    wanted = config(features=[job.FEATURE_SUMMARY], template_id="nothing")
    async with talking(address) as talk:
        await talk.send(start=live.StartSession(config=wanted))
        assert await talk.failure() == (grpc.StatusCode.NOT_FOUND, "TEMPLATE_NOT_FOUND")


async def test_nothing_comes_before_start(address: str) -> None:
    for message in (audio(), {"end": live.EndSession()}, {}):
        async with talking(address) as talk:
            await talk.send(**message)
            assert await talk.failure() == (INVALID, "STREAM_OUT_OF_ORDER")
    async with talking(address) as talk:
        await talk.call.done_writing()
        assert await talk.failure() == (INVALID, "STREAM_OUT_OF_ORDER")


async def test_a_call_whose_messages_end_without_an_end_is_incomplete(address: str) -> None:
    async with talking(address) as talk:
        await talk.start()
        await talk.call.done_writing()
        assert await talk.failure() == (INVALID, "STREAM_INCOMPLETE")


async def test_garbage_is_no_message(address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        method: Any = channel.stream_stream("/maie.live.v1.LiveService/Transcribe")
        call = method(iter([b"\xff\xff"]))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call.read()
        assert refused.value.code() is INVALID


async def test_repeats_are_dropped(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking() as (talk, first):
        await talk.start()
        await talk.audio("ann", said([1]))
        await talk.next("final")
        for number in range(1, talk.sent["ann"] + 1):
            await talk.send(**audio(b"\x7f\x7f" * 100, sequence=number))
        await talk.audio("ann", said([2]))
        await talk.end()
        assert talk.finals() == expected("ann", [1, 2])
        assert first.asr.received == 2 * len(said([1])) // 2


async def test_a_track_that_never_speaks_ends_well(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking(settle_seconds=1.0) as (talk, _):
        await talk.start()
        await talk.audio("ann", b"\0\0" * 32_000)
        await talk.durable("ann", 10)
        ended = await talk.end()
        assert (ended.final_count, ended.audio_duration.seconds) == (0, 2)
        assert talk.finals() == []


async def test_a_session_without_audio_ends_well(live_mesh: LiveMesh) -> None:
    async with live_mesh.gateway() as address, talking(address) as talk:
        await talk.start()
        await talk.send(keep_alive=live.KeepAlive())
        assert (await talk.end()).final_count == 0


async def test_a_foreign_token_or_tenant_reaches_no_session(live_mesh: LiveMesh) -> None:
    async with live_mesh.gateway() as address, talking(address) as talk:
        started = await talk.start()
        foreign = [
            (started.session_id, "another", "", grpc.StatusCode.PERMISSION_DENIED),
            (started.session_id, "", "", grpc.StatusCode.PERMISSION_DENIED),
            (started.session_id, started.resume_token, "acme", grpc.StatusCode.NOT_FOUND),
            (started.session_id[:-1] + "x", started.resume_token, "", grpc.StatusCode.NOT_FOUND),
            ("../etc", "x", "", grpc.StatusCode.NOT_FOUND),
            ("*", "x", "", grpc.StatusCode.NOT_FOUND),
        ]
        reasons = {
            grpc.StatusCode.PERMISSION_DENIED: "RESUME_TOKEN_INVALID",
            grpc.StatusCode.NOT_FOUND: "SESSION_NOT_FOUND",
        }
        for session_id, token, tenant, status in foreign:
            async with talking(address, tenant) as other:
                resumed = live.StartSession(session_id=session_id, resume_token=token)
                await other.send(start=resumed)
                assert await other.failure() == (status, reasons[status])
        await talk.end()


async def test_a_session_that_has_ended_gives_what_its_client_lacks(live_mesh: LiveMesh) -> None:
    async with live_mesh.running() as (address, _):
        async with talking(address) as talk:
            started = await talk.start()
            await talk.audio("ann", said([1, 2]))
            await talk.end()
        for after, lacking in ((0, [1, 2, 3]), (2, [3])):
            async with talking(address) as again:
                await again.resume(started, after)
                await again.over.wait()
                assert [each.sequence for each in again.events[1:]] == lacking
                assert again.events[-1].HasField("ended")
        async with talking(address) as again:
            await again.send(
                start=live.StartSession(
                    session_id=started.session_id,
                    resume_token=started.resume_token,
                    after_sequence=3,
                )
            )
            assert await again.failure() == (
                grpc.StatusCode.FAILED_PRECONDITION,
                "SESSION_ENDED",
            )


async def test_who_sends_nothing_for_too_long_is_left(live_mesh: LiveMesh) -> None:
    async with live_mesh.running(idle_seconds=1.0) as (address, _):
        async with talking(address) as talk:
            started = await talk.start()
            await talk.audio("ann", said([1]))
            assert await talk.failure() == (grpc.StatusCode.DEADLINE_EXCEEDED, "SESSION_IDLE")
            assert talk.finals() == expected("ann", [1])
        async with talking(address) as talk:
            assert await talk.failure() == (grpc.StatusCode.DEADLINE_EXCEEDED, "SESSION_IDLE")
        async with talking(address) as again:
            await again.resume(started, 1)
            assert (await again.end()).final_count == 1


async def test_who_sends_no_audio_for_too_long_is_left_and_may_come_back(
    live_mesh: LiveMesh,
) -> None:
    async with live_mesh.running(quiet_seconds=4.0) as (address, _):
        async with talking(address) as talk:
            started = await talk.start()
            loop = asyncio.get_running_loop()
            began = loop.time()
            # Audio and silence hold a call.
            for number in (1, 2, 3, 4):
                await talk.audio("ann", said([number]))
                await asyncio.sleep(0.5)
                await talk.silence("ann", 0.5)
                await asyncio.sleep(0.5)
            assert not talk.over.is_set()
            await until(lambda: loop.time() - began > 4.5)
            while not talk.over.is_set():
                await talk.send(keep_alive=live.KeepAlive())
                await asyncio.sleep(0.1)
            assert await talk.failure() == (grpc.StatusCode.DEADLINE_EXCEEDED, "SESSION_IDLE")
            assert "No audio was received for 4 s" in str(talk.error)
            assert talk.finals() == expected("ann", [1, 2, 3, 4])
        async with talking(address) as again:
            again.sent["ann"] = talk.sent["ann"]
            await again.resume(started, 4)
            await again.audio("ann", said([5]))
            assert (await again.end()).final_count == 5


async def test_an_engine_that_refuses_a_track_leaves_the_others(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking() as (talk, first):
        await talk.start()
        await talk.audio("ann", said([1]))
        await talk.next("final")
        first.asr.refusal = invalid(Reason.LANGUAGE_NOT_SUPPORTED, "No German.")
        await talk.audio("bob", said([2]))
        (warned,) = await talk.next("warning")
        assert (warned.warning.track, warned.warning.warning.reason) == (
            "bob",
            "LANGUAGE_NOT_SUPPORTED",
        )
        assert warned.warning.warning.message == "No German."
        assert warned.warning.track_dropped
        await talk.audio("bob", said([2]))
        await talk.audio("ann", said([3]))
        await talk.end()
        assert talk.finals() == expected("ann", [1, 3])


async def test_an_engine_that_refuses_the_only_track_ends_the_call(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking() as (talk, first):
        await talk.start()
        first.asr.refusal = invalid(Reason.LANGUAGE_NOT_SUPPORTED, "No German.")
        await talk.audio("bob", said([2]), seconds=1.0)
        assert await talk.failure() == (INVALID, "LANGUAGE_NOT_SUPPORTED")
