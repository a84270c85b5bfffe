"""Compressed audio is recognised as samples are, and resumes at any message."""

from __future__ import annotations

from collections.abc import Iterable

import grpc
import numpy as np
import psutil
import pytest

from maie.live.v1 import live_pb2 as live
from maie_core.reasons import Reason
from tests.audio.streams import contained, packets_of
from tests.children import forked
from tests.gateway.live.conftest import LiveMesh
from tests.gateway.live.conversation import Conversation, config, expected, talking
from tests.gateway.live.loud_asr import FRAME
from tests.gateway.live.speech import RATE, said
from tests.gateway.live.spoken import WORD_MS, spoken, whole

pytestmark = pytest.mark.mesh

OPUS = live.AUDIO_ENCODING_OPUS
OGG_OPUS = live.AUDIO_ENCODING_OGG_OPUS
WEBM_OPUS = live.AUDIO_ENCODING_WEBM_OPUS
FLAC = live.AUDIO_ENCODING_FLAC
FRAME_MS = FRAME * 1000 // RATE


def wanted(encoding: live.AudioEncoding, rate: int = 0) -> live.SessionConfig:
    made = config()
    made.format.CopyFrom(live.AudioFormat(encoding=encoding, sample_rate_hertz=rate))
    return made


def messages(encoding: live.AudioEncoding, words: Iterable[int], size: int = 400) -> list[bytes]:
    samples = np.frombuffer(said(words), "<i2")[None, :]
    at_48_khz = np.repeat(samples, 3, axis=1)
    if encoding == OPUS:
        return list(packets_of(at_48_khz))
    if encoding == FLAC:
        data = contained("flac", samples, RATE)
    else:
        data = contained("ogg_opus" if encoding == OGG_OPUS else "webm_opus", at_48_khz, 48_000)
    return [data[begin : begin + size] for begin in range(0, len(data), size)]


async def send(talk: Conversation, track: str, contents: Iterable[bytes]) -> None:
    for content in contents:
        message = live.TrackAudio(track=track, sequence=talk.number(track), content=content)
        await talk.send(audio=message)


def decoders() -> list[psutil.Process]:
    return forked("maie_audio.child")


@pytest.mark.parametrize("encoding", [OPUS, OGG_OPUS, WEBM_OPUS, FLAC])
async def test_each_encoding_is_recognised(
    live_mesh: LiveMesh, encoding: live.AudioEncoding
) -> None:
    async with live_mesh.talking() as (talk, _):
        await talk.start(wanted(encoding))
        await send(talk, "ann", messages(encoding, [5, 9, 12]))
        ended = await talk.end()
        assert ended.final_count == 3
        assert ended.audio_duration.ToMilliseconds() == pytest.approx(2200, abs=40)
        places = [each.final.segment.start_offset.ToMilliseconds() for each in talk.of("final")]
        begun = talk.of("turn")[0].turn.offset.ToMilliseconds()
        assert [place - begun for place in places] == pytest.approx([0, 700, 1400], abs=40)
    if encoding == FLAC:
        assert talk.finals() == expected("ann", [5, 9, 12])


async def test_a_stream_resumes_in_the_middle_at_another_gateway(live_mesh: LiveMesh) -> None:
    words = list(range(1, 21))
    sent = messages(FLAC, words)
    async with live_mesh.replica(), live_mesh.gateway() as first, live_mesh.gateway() as second:
        async with talking(first) as talk:
            started = await talk.start(wanted(FLAC))
            await send(talk, "ann", sent[: len(sent) // 2])
            await talk.received("ann", len(sent) // 2)
            await talk.next("final", 6)
            events = talk.of("final")
        async with talking(second) as again:
            resumed = await again.resume(started, after=events[-1].sequence)
            durable = resumed.tracks[0].durable_sequence
            assert 0 < durable <= len(sent) // 2
            again.sent["ann"] = durable
            await send(again, "ann", sent[durable:])
            await again.end()
            events += again.of("final")
    # A word may be cut where the first call broke, at the end of a block of FLAC. Its rest begins
    # there, and the engine's frames with it, so that lengths differ by up to a frame.
    found = spoken([event.final for event in events], gap_ms=FRAME_MS)
    assert [word for word, _ in found] == [word for word, _ in whole(words)]
    assert [length for _, length in found] == pytest.approx([WORD_MS] * len(words), abs=FRAME_MS)


async def test_killed_decoders_cost_nothing(live_mesh: LiveMesh) -> None:
    words = list(range(1, 11))
    sent = messages(FLAC, words)
    killed: set[int] = set()
    async with live_mesh.talking() as (talk, _):
        await talk.start(wanted(FLAC))
        for number, content in enumerate(sent):
            await send(talk, "ann", [content])
            if number in {len(sent) // 3, len(sent) // 2}:
                # What reads the same message again and again is given up.
                await talk.received("ann", number)
                for process in decoders():
                    killed.add(process.pid)
                    process.kill()
        await talk.end()
        assert killed
        assert talk.finals() == expected("ann", words)


async def test_garbage_ends_its_own_track_and_no_other(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking() as (talk, _):
        await talk.start(wanted(FLAC))
        for track in ("ann", "bob"):
            await send(talk, track, messages(FLAC, [1, 2]))
            await talk.next("final", 1)
        await talk.next("final", 3)
        await send(talk, "bob", [b"garbage" * 100])
        (warned,) = await talk.next("warning")
        assert warned.warning.track == "bob"
        assert warned.warning.warning.reason == Reason.AUDIO_PART_INVALID
        await talk.leave("ann")
        await send(talk, "ann", messages(FLAC, [3]))
        await talk.end()
        assert sorted(talk.finals()) == [*expected("ann", [1, 2, 3]), *expected("bob", [1, 2])]


@pytest.mark.parametrize(
    ("encoding", "rate", "content", "reason"),
    [
        (OPUS, 0, b"\xff" * 60, Reason.AUDIO_PART_INVALID),
        (OPUS, 44_100, b"\xf8\xff\xfe", Reason.AUDIO_FORMAT_INVALID),
        (OGG_OPUS, 0, b"RIFF    WAVEfmt ", Reason.AUDIO_FORMAT_INVALID),
        (WEBM_OPUS, 0, b"OggS" + bytes(60), Reason.AUDIO_FORMAT_INVALID),
        (FLAC, 48_000, messages(FLAC, [1])[0], Reason.AUDIO_FORMAT_INVALID),
        (FLAC, 0, b"", Reason.AUDIO_PART_INVALID),
        (FLAC, 0, bytes(300_000), Reason.AUDIO_PART_INVALID),
    ],
)
async def test_a_lone_track_that_cannot_be_decoded_ends_the_call(
    live_mesh: LiveMesh, encoding: live.AudioEncoding, rate: int, content: bytes, reason: Reason
) -> None:
    async with live_mesh.talking() as (talk, _):
        await talk.start(wanted(encoding, rate))
        await send(talk, "ann", [content])
        assert await talk.failure() == (grpc.StatusCode.INVALID_ARGUMENT, reason)
