"""Live diarization over gRPC, as gateways see it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import numpy as np
import pytest
import pytest_asyncio

from maie_diarization.live.service import LiveService, open_live
from maie_diarization.settings import DiarizationSettings, LiveSettings
from tests.asr.live.test_calls import reason_of
from tests.diarization.live.calling import (
    END,
    Call,
    PitchEngine,
    Request,
    answers,
    config,
    of,
    parts,
    served,
    speech,
    spoken,
)
from tests.diarization.recordings import engine, part, reading, standup
from tests.waiting import until

pytestmark = pytest.mark.unit

SETTINGS = DiarizationSettings(live=LiveSettings(workers=1, tracks=2))


@pytest_asyncio.fixture
async def live() -> AsyncIterator[LiveService]:
    async with open_live(SETTINGS, PitchEngine()) as service:
        assert service is not None
        yield service


async def test_two_real_voices_are_two_speakers() -> None:
    # A reader, and then a synthetic voice.
    sound = np.concatenate([part(reading(), 1, 8), part(standup(), 13.9, 18.2)])
    async with open_live(SETTINGS, engine()) as service, served(service) as channel:
        responses = await answers(channel, config(), *parts(sound), END)
    (ready,) = of(responses, "ready")
    assert ready.engine.engine == "embedded"
    turns = spoken(responses)
    assert [turns[0][2], turns[-1][2]] == ["1", "2"]
    received = of(responses, "progress")[-1].received_offset
    assert of(responses, "turns")[-1].settled_offset == received
    assert [each.speaker for each in of(responses, "known")[-1].speakers] == ["1", "2"]


async def test_every_moment_has_its_turns_once(live: LiveService) -> None:
    sound = np.concatenate([speech(1, 6.5), speech(2, 6), speech(1, 3.2)])
    async with served(live) as channel:
        responses = await answers(channel, config(), *parts(sound), END)
    turns = spoken(responses)
    assert [turn[2] for turn in turns] == ["1", "2", "1"]
    edges = [round(edge, 1) for turn in turns for edge in turn[:2]]
    assert edges == [0, 6.5, 6.5, 12.5, 12.5, 15.7]


async def test_a_track_that_is_taken_up_again_keeps_its_speakers(live: LiveService) -> None:
    first, second = (speech(1, 6), speech(2, 6)), (speech(2, 6), speech(3, 6))
    async with served(live) as channel:
        before = await answers(channel, config(), *parts(np.concatenate(first)), END)
        again = config(known=of(before, "known")[-1])
        again.config.start_offset.FromSeconds(12)
        after = await answers(channel, again, *parts(np.concatenate(second)), END)
    assert [turn[2] for turn in spoken(after)] == ["2", "3"]
    assert spoken(after)[0][0] == 12


async def test_speakers_of_another_engine_are_not_found_again(live: LiveService) -> None:
    async with served(live) as channel:
        before = await answers(channel, config(), *parts(speech(1, 6)), END)
        again = config(known=of(before, "known")[-1])
        again.config.known.embedding_space = "another"
        after = await answers(channel, again, *parts(speech(1, 6)), END)
    assert [turn[2] for turn in spoken(after)] == ["2"]


async def test_silence_has_nobody_and_costs_nothing(live: LiveService) -> None:
    muted = Request()
    muted.silence.FromSeconds(3600)
    async with served(live) as channel:
        responses = await answers(
            channel, config(), *parts(speech(1, 6)), muted, *parts(speech(1, 4)), END
        )
    assert [turn[2] for turn in spoken(responses)] == ["1", "1"]
    assert spoken(responses)[-1][1] == 3610


async def test_what_was_heard_is_settled_when_the_service_stops(live: LiveService) -> None:
    async with served(live) as channel:
        call = Call(channel)
        await call.send(config(), *parts(speech(1, 6)))
        await call.until("turns")
        await live.drain()
        await call.until("go_away")
        rest = await call.rest()
        assert spoken(rest)[-1][1] == 6
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await answers(channel, config())
        assert reason_of(raised.value) == "WORKER_STOPS"


async def test_more_tracks_than_the_limit_are_refused(live: LiveService) -> None:
    async with served(live) as channel:
        calls = [Call(channel) for _ in range(2)]
        for call in calls:
            await call.send(config())
            await call.until("ready")
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await answers(channel, config())
        assert reason_of(raised.value) == "LIVE_BUSY"
        assert live.tracks == 2
    await until(lambda: not live.tracks)


async def test_a_service_for_recordings_alone_says_so() -> None:
    off = DiarizationSettings(live=LiveSettings(tracks=0))
    async with open_live(off, PitchEngine()) as none, served(none) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await answers(channel, config())
    assert reason_of(raised.value) == "LIVE_OFF"
    assert "MAIE_DIARIZATION_LIVE_TRACKS" in (raised.value.details() or "")


@pytest.mark.parametrize(
    ("requests", "reason"),
    [
        ([Request(audio=b"\0\0")], "STREAM_OUT_OF_ORDER"),
        ([config(), config()], "STREAM_OUT_OF_ORDER"),
        ([config(), Request(audio=b"\0")], "AUDIO_PART_INVALID"),
        ([config(max_speaker_count=51)], "OPTION_OUT_OF_RANGE"),
        ([config(known={"speakers": [{"speaker": "1"}], "next_number": 2})], "OPTION_OUT_OF_RANGE"),
    ],
)
async def test_wrong_messages_are_refused(
    live: LiveService, requests: list[Request], reason: str
) -> None:
    async with served(live) as channel:
        call = Call(channel)
        await call.send(*requests[:1])
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call.send(*requests[1:])
            await call.rest()
        assert reason_of(raised.value) == reason
