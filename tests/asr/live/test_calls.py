"""Live recognition over gRPC: what becomes of a track, of many, and of bad ones."""

from __future__ import annotations

import asyncio
import gc
import itertools
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2
from grpc._cython.cygrpc import ExecuteBatchError  # type: ignore[import-not-found]
from grpc_status import rpc_status

from maie.asr.v1 import asr_pb2 as asr
from maie.asr.v1 import streaming_pb2 as streaming
from maie_asr.engine import SAMPLE_RATE
from maie_asr.live.engine import Effort
from maie_asr.live.track import MAX_PENDING
from maie_asr.live.utterance import STABILITY
from maie_core.durations import seconds
from maie_core.samples import samples
from tests.asr.live.calling import (
    END,
    FINALIZE,
    Call,
    Request,
    answers,
    config,
    instant,
    of,
    parts,
    silence,
    text,
    track,
)
from tests.live_engine import InstantEngine, quiet, read_words, say
from tests.waiting import until

pytestmark = pytest.mark.unit

WORDS = ("hotel", "echo", "lima", "papa")
SPOKEN = (quiet(0.5), say(*WORDS), quiet(1.0))


async def refusal(channel: grpc.aio.Channel, requests: Iterable[Request]) -> tuple[str, str]:
    """The status and the reason of a call that fails."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await answers(channel, requests)
    return raised.value.code().name, reason_of(raised.value)


def reason_of(error: Any) -> str:
    info = error_details_pb2.ErrorInfo()
    assert details_of(error)[0].Unpack(info)
    return info.reason


def details_of(error: Any) -> Any:
    status = rpc_status.from_call(error)
    assert status is not None
    return status.details


async def test_an_utterance_is_started_read_and_ended() -> None:
    async with instant() as (channel, _):
        found = await answers(channel, track(*SPOKEN))
    ready = of(found, "ready")
    assert found[0].WhichOneof("response") == "ready"
    assert len(ready) == 1
    assert ready[0].engine.engine == "instant"
    events = [turn.event for turn in of(found, "turn")]
    assert events == [streaming.TURN_EVENT_STARTED, streaming.TURN_EVENT_ENDED]
    (final,) = of(found, "final")
    assert (final.utterance, final.text, final.language_code) == (1, " ".join(WORDS), "en")
    assert final.reason == streaming.END_REASON_SILENCE
    assert [word.word for word in final.words] == list(WORDS)
    assert abs(seconds(final.words[0].start_offset) - 0.5) < 0.03
    assert 0.2 < seconds(final.range.start_offset) < 0.5
    assert seconds(final.words[-1].end_offset) < seconds(final.range.end_offset) < 1.9
    progress = of(found, "progress")[-1]
    assert samples(progress.settled_offset) >= samples(final.range.end_offset)
    assert progress.partial_thinning in (0, 1)  # nothing else is read


async def test_silence_has_no_final() -> None:
    async with instant() as (channel, _):
        found = await answers(
            channel, [config(), *parts(quiet(2)), silence(600), FINALIZE, silence(0.001), END]
        )
        assert [each.WhichOneof("response") for each in found if each.HasField("turn")] == []
        assert of(found, "final") == []
        assert of(found, "progress")[-1].settled_offset.seconds == 601


async def speak(call: Call, words: Sequence[str]) -> None:
    """Says words, and gives time for readings of what was said so far."""
    for message in parts(np.concatenate([say(*words), quiet(1)])):
        await call.send(message)
        await asyncio.sleep(0.01)


async def test_a_service_that_hears_nothing_says_how_far_it_is() -> None:
    async with instant() as (channel, _):
        call = Call(channel)
        await call.send(config())
        await call.read_until("ready")
        progress = await call.read_until("progress")
        assert samples(progress.received_offset) == 0
        call.cancel()


async def test_partials_grow_and_their_stable_part_stays() -> None:
    words = [*WORDS, *WORDS[::-1], *WORDS, "zulu", "kilo", "mike"]
    async with instant(partial_interval_seconds=0.2) as (channel, _):
        call = Call(channel)
        await call.send(config())
        await speak(call, words)
        await call.send(END)
        found = await call.rest()
    partials = of(found, "partial")
    assert len(partials) > 3
    stable = ""
    for partial in partials:
        assert partial.stable_text.startswith(stable)
        stable = partial.stable_text
        assert " ".join(words).startswith(partial.stable_text + partial.unstable_text)
    assert stable
    assert text(found) == " ".join(words)


@pytest.mark.parametrize("least", [0.5, STABILITY])
async def test_partials_may_be_only_what_is_stable(least: float) -> None:
    words = [*WORDS, *WORDS[::-1]] * 3
    async with instant(partial_interval_seconds=0.2) as (channel, _):
        call = Call(channel)
        wanted = streaming.StreamingOptions(partials={"min_stability": least})
        await call.send(config(options=wanted))
        await speak(call, words)
        await call.send(END)
        partials = of(await call.rest(), "partial")
    texts = [partial.stable_text for partial in partials]
    assert len(texts) > 3
    # Each says more than the one before it, and nothing else.
    assert len(set(texts)) == len(texts)
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))
    assert all(text and " ".join(words).startswith(text) for text in texts)
    assert {partial.unstable_text for partial in partials} == {""}


async def test_what_is_never_stable_enough_has_no_partials() -> None:
    words = WORDS * 6
    async with instant(partial_interval_seconds=0.2, partial_min_stability=0.5) as (channel, _):
        call = Call(channel)
        await call.send(config())
        await speak(call, words)
        # From the next utterance on, more is asked for than there is.
        await call.send(Request(configure={"partials": {"min_stability": 1}}))
        await speak(call, words)
        await call.send(END)
        found = await call.rest()
    partials = of(found, "partial")
    assert {partial.utterance for partial in partials} == {1}
    assert {partial.unstable_text for partial in partials} == {""}
    assert [final.text for final in of(found, "final")] == [" ".join(words)] * 2


async def test_many_tracks_do_not_mix() -> None:
    rotated = [WORDS[turn:] + WORDS[:turn] for turn in range(4)]

    async def one(channel: grpc.aio.Channel, number: int) -> list[str]:
        spoken = [say(*rotated[(number + turn) % 4]) for turn in range(3)]
        pieces = [piece for each in spoken for piece in (each, quiet(0.8))]
        found = await answers(channel, track(*pieces))
        assert [final.utterance for final in of(found, "final")] == [1, 2, 3]
        return [final.text for final in of(found, "final")]

    async with instant(tracks=40) as (channel, live):
        found = await asyncio.gather(*(one(channel, number) for number in range(40)))
        assert not live.tracks
    for number, finals in enumerate(found):
        assert finals == [" ".join(rotated[(number + turn) % 4]) for turn in range(3)]


@pytest.mark.parametrize("size", [1, 37, 320, 16_000])
async def test_how_audio_is_divided_makes_no_difference(size: int) -> None:
    sound = np.concatenate([quiet(0.1), say("echo", "lima"), quiet(0.7)])[:16_000]
    async with instant(partials=False) as (channel, _):
        found = await answers(channel, [config(), *parts(sound, size), END])
    (final,) = of(found, "final")
    assert (final.text, final.range.start_offset.nanos) == ("echo lima", 0)


async def test_the_client_ends_an_utterance() -> None:
    async with instant() as (channel, _):
        call = Call(channel)
        await call.send(config(), *parts(say("echo", "lima")), FINALIZE)
        first = await call.read_until("final")
        assert (first.text, first.reason) == ("echo lima", streaming.END_REASON_FINALIZE)
        await call.send(*parts(say("papa", "kilo")), END)
        second = of(await call.rest(), "final")[1]
    assert (second.text, second.reason) == ("papa kilo", streaming.END_REASON_TRACK_END)
    assert samples(second.range.start_offset) >= samples(first.range.end_offset)


async def test_only_the_client_ends_utterances_where_that_is_asked_for() -> None:
    turns = streaming.TurnOptions(detector=streaming.TURN_DETECTOR_CLIENT)
    options = streaming.StreamingOptions(turns=turns)
    async with instant() as (channel, _):
        found = await answers(
            channel, track(say("echo"), quiet(1.5), say("lima"), quiet(1), options=options)
        )
    assert [final.text for final in of(found, "final")] == ["echo lima"]


async def test_long_speech_is_divided() -> None:
    turns = streaming.TurnOptions()
    turns.max_utterance.FromSeconds(2)
    options = streaming.StreamingOptions(turns=turns)
    words = list(WORDS) * 5
    async with instant() as (channel, _):
        found = await answers(channel, track(say(*words), quiet(1), options=options))
    finals = of(found, "final")
    assert [final.utterance for final in finals] == list(range(1, len(finals) + 1))
    assert {final.reason for final in finals[:-1]} == {streaming.END_REASON_MAX_LENGTH}
    for one, other in itertools.pairwise(finals):
        assert one.range.end_offset == other.range.start_offset
    assert text(found).split() == words


async def test_a_probable_end_is_announced_and_taken_back() -> None:
    turns = streaming.TurnOptions(eager_end=True)
    options = streaming.StreamingOptions(turns=turns)
    async with instant() as (channel, _):
        call = Call(channel)
        await call.send(config(options=options), *parts(say("echo")), *parts(quiet(0.3)))
        await call.read_until("turn")
        announced = await call.read_until("turn")
        assert (announced.event, announced.text) == (streaming.TURN_EVENT_EAGER_END, "echo")
        await call.send(*parts(say("lima")), *parts(quiet(0.3)))
        assert (await call.read_until("turn")).event == streaming.TURN_EVENT_RESUMED
        announced = await call.read_until("turn")
        await call.send(*parts(quiet(0.5)), END)
        (final,) = of(await call.rest(), "final")
    assert announced.text == final.text == "echo lima"


async def test_a_track_is_taken_up_again() -> None:
    fields = {
        "start_offset": {"seconds": 100},
        "settled_offset": {"seconds": 101},
        "next_utterance": 5,
    }
    async with instant() as (channel, _):
        found = await answers(
            channel, track(say("echo"), quiet(1), say("lima"), quiet(1), **fields)
        )
    (final,) = of(found, "final")
    assert (final.utterance, final.text) == (5, "lima")
    assert final.range.start_offset.seconds == 101


async def test_options_change_from_the_next_utterance_on() -> None:
    change = streaming.StreamingOptions(
        transcribe=asr.TranscribeOptions(word_time_offsets=False),
        turns=streaming.TurnOptions(detector=streaming.TURN_DETECTOR_CLIENT),
    )
    sound = [*parts(say("echo")), *parts(quiet(0.8)), *parts(say("lima")), *parts(quiet(2))]
    async with instant() as (channel, _):
        found = await answers(
            channel, [config(), *sound[:2], Request(configure=change), *sound[2:], END]
        )
    first, second = of(found, "final")
    assert (first.reason, len(first.words)) == (streaming.END_REASON_SILENCE, 1)
    assert (second.reason, len(second.words)) == (streaming.END_REASON_TRACK_END, 0)


async def test_ready_says_what_holds() -> None:
    turns = streaming.TurnOptions()
    turns.min_silence.FromMilliseconds(150)
    options = streaming.StreamingOptions(turns=turns)
    async with instant(partial_interval_seconds=2) as (channel, _):
        (ready,) = of(await answers(channel, [config(options=options), END]), "ready")
    assert ready.options.partials.interval.seconds == 2
    assert ready.options.transcribe.language_code == "en"
    assert seconds(ready.options.turns.min_silence) == 0.15
    assert seconds(ready.options.turns.eager_silence) == 0.15
    assert ready.options.turns.detector == streaming.TURN_DETECTOR_VAD
    assert not ready.options.turns.HasField("threshold")


def options(**groups: Any) -> Request:
    return config(options=streaming.StreamingOptions(**groups))


def turn(**fields: Any) -> Request:
    return options(turns=streaming.TurnOptions(**fields))


def transcribe(**fields: Any) -> Request:
    return options(transcribe=asr.TranscribeOptions(**fields))


PART = next(parts(say("echo")))


@pytest.mark.parametrize(
    ("requests", "reason"),
    [
        ([END], "STREAM_OUT_OF_ORDER"),
        ([PART], "STREAM_OUT_OF_ORDER"),
        ([Request()], "STREAM_OUT_OF_ORDER"),
        ([config(), config()], "STREAM_OUT_OF_ORDER"),
        ([config(), Request()], "STREAM_OUT_OF_ORDER"),
        ([config(), Request(audio=b"")], "AUDIO_PART_INVALID"),
        ([config(), Request(audio=b"123")], "AUDIO_PART_INVALID"),
        ([config(), Request(audio=bytes(32_002))], "AUDIO_PART_INVALID"),
        ([config(), Request(audio=bytes(1024 * 1024))], "AUDIO_PART_INVALID"),
        ([config(), silence(0)], "AUDIO_PART_INVALID"),
        ([config(), silence(-1)], "AUDIO_PART_INVALID"),
        ([config(), silence(3601)], "AUDIO_PART_INVALID"),
        ([config(start_offset={"seconds": -1})], "OPTION_OUT_OF_RANGE"),
        (
            [config(start_offset={"seconds": 9}, settled_offset={"seconds": 8})],
            "OPTION_OUT_OF_RANGE",
        ),
        ([config(next_utterance=-1)], "OPTION_OUT_OF_RANGE"),
        ([turn(threshold=0.99)], "OPTION_OUT_OF_RANGE"),
        ([turn(threshold=float("nan"))], "OPTION_OUT_OF_RANGE"),
        ([turn(min_silence={"seconds": 6})], "OPTION_OUT_OF_RANGE"),
        ([turn(eager_silence={"seconds": 1})], "OPTION_OUT_OF_RANGE"),
        ([turn(max_utterance={"seconds": 29})], "OPTION_OUT_OF_RANGE"),
        ([turn(detector=99)], "OPTION_OUT_OF_RANGE"),
        ([config(), Request(configure={"turns": {"detector": 99}})], "OPTION_OUT_OF_RANGE"),
        ([options(partials={"interval": {"seconds": 11}})], "OPTION_OUT_OF_RANGE"),
        ([options(partials={"min_stability": 1.1})], "OPTION_OUT_OF_RANGE"),
        ([options(partials={"min_stability": -0.1})], "OPTION_OUT_OF_RANGE"),
        ([transcribe(language_code="vi")], "LANGUAGE_NOT_SUPPORTED"),
        ([transcribe(task=asr.TRANSCRIBE_TASK_TRANSLATE)], "OPTION_NOT_SUPPORTED"),
        ([transcribe(silence={"vad_filter": True})], "OPTION_NOT_SUPPORTED"),
        ([transcribe(decoding={"temperatures": [0.2]})], "OPTION_NOT_SUPPORTED"),
        ([transcribe(decoding={"condition_on_previous_text": False})], "OPTION_NOT_SUPPORTED"),
        (
            [config(), Request(configure={"turns": {"min_silence": {"seconds": 9}}})],
            "OPTION_OUT_OF_RANGE",
        ),
    ],
)
async def test_bad_messages_are_refused_and_others_go_on(
    requests: list[Request], reason: str
) -> None:
    async with instant() as (channel, live):
        other = Call(channel)
        await other.send(config(), *parts(say("echo")))
        assert await refusal(channel, requests) == ("INVALID_ARGUMENT", reason)
        await other.send(*parts(quiet(1)), END)
        assert text(await other.rest()) == "echo"
        assert not live.tracks


async def test_a_track_that_breaks_off_is_no_whole_one() -> None:
    async with instant() as (channel, _):
        call = Call(channel)
        await call.send(config(), PART)
        await call._stream.done_writing()
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call.rest()
        assert reason_of(raised.value) == "STREAM_OUT_OF_ORDER"


async def test_nothing_follows_the_end() -> None:
    held = asyncio.Event()

    async def hold(_: Effort) -> None:
        await held.wait()

    engine = InstantEngine()
    async with instant(engine) as (channel, _):
        engine.hook = hold
        requests = [config(), *parts(say("echo")), END, PART]
        assert await refusal(channel, requests) == ("INVALID_ARGUMENT", "STREAM_OUT_OF_ORDER")
        held.set()


async def test_no_more_tracks_than_fit() -> None:
    async with instant(tracks=1) as (channel, _):
        first = Call(channel)
        await first.send(config())
        await first.read_until("ready")
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await answers(channel, [config()])
        assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert reason_of(raised.value) == "LIVE_BUSY"
        retry = error_details_pb2.RetryInfo()
        assert details_of(raised.value)[1].Unpack(retry)
        assert retry.retry_delay.seconds > 0
        await first.send(END)
        await first.rest()
        assert not of(await answers(channel, track()), "final")


async def test_a_killed_caller_leaves_nothing_behind() -> None:
    held = asyncio.Event()

    async def hold(effort: Effort) -> None:
        await held.wait()

    engine = InstantEngine()
    async with instant(engine, workers=1) as (channel, live):
        engine.hook = hold
        for _ in range(5):
            call = Call(channel)
            await call.send(config(), *parts(say("echo")), *parts(quiet(1)), *parts(say("lima")))
            await call.read_until("turn")
            call.cancel()
        await until(lambda: not live.tracks)
        held.set()
        engine.hook = InstantEngine().hook
        assert text(await answers(channel, track(*SPOKEN))) == " ".join(WORDS)
        await until(lambda: gc.collect() >= 0 and not engine.utterances)


async def test_an_engine_that_fails_fails_the_track_alone() -> None:
    async def fails(effort: Effort) -> None:
        if effort is not Effort.PARTIAL:
            raise ZeroDivisionError("secret")

    engine = InstantEngine()
    async with instant(engine) as (channel, _):
        engine.hook = fails
        assert await refusal(channel, track(*SPOKEN)) == ("INTERNAL", "ENGINE_FAILED")
        engine.hook = InstantEngine().hook
        assert text(await answers(channel, track(*SPOKEN))) == " ".join(WORDS)


async def test_finals_are_in_order_whichever_is_read_first() -> None:
    first = asyncio.Event()

    async def hold_the_first(effort: Effort) -> None:
        if effort is not Effort.PARTIAL and len(engine.readings) == 1:
            await first.wait()

    engine = InstantEngine()
    async with instant(engine, workers=2, eager_silence_seconds=0, partials=False) as (channel, _):
        engine.readings.clear()
        engine.hook = hold_the_first
        call = Call(channel)
        await call.send(config(), *parts(say("echo")), *parts(quiet(1)), *parts(say("lima")))
        await call.send(*parts(quiet(1)), END)
        await until(lambda: len(engine.readings) == 2)
        first.set()
        assert text(await call.rest()) == "echo lima"


async def test_speech_that_goes_on_drops_the_reading_ahead() -> None:
    dropped = asyncio.Event()

    async def hold_the_first(effort: Effort) -> None:
        if len(engine.readings) == 1:
            await dropped.wait()

    engine = InstantEngine()
    async with instant(engine, partials=False) as (channel, _):
        engine.readings.clear()
        engine.hook = hold_the_first
        call = Call(channel)
        await call.send(config(), *parts(say("echo")), *parts(quiet(0.3)))
        await until(lambda: len(engine.readings) == 1)
        await call.send(*parts(say("lima")))
        await until(lambda: engine.dropped == 1)
        dropped.set()
        await call.send(*parts(quiet(1)), END)
        assert text(await call.rest()) == "echo lima"
        assert engine.dropped == 1


async def test_audio_is_slowed_down_where_finals_are_late() -> None:
    held = asyncio.Event()

    async def hold(_: Effort) -> None:
        await held.wait()

    engine = InstantEngine()
    async with instant(engine, partials=False) as (channel, _):
        engine.hook = hold
        call = Call(channel)
        pieces = [piece for _ in range(30) for piece in (say("echo"), quiet(0.8))]
        sending = asyncio.create_task(call.send(*track(*pieces)))
        for _ in range(MAX_PENDING + 1):
            while (await call.read_until("turn")).event != streaming.TURN_EVENT_ENDED:
                pass
        held.set()
        found = await call.rest()
        await sending
    kinds = [each.WhichOneof("response") for each in found]
    before = found[: kinds.index("final")]
    ended = [turn for turn in of(before, "turn") if turn.event == streaming.TURN_EVENT_ENDED]
    assert len(ended) == MAX_PENDING + 1
    assert len(of(found, "final")) == 30


async def test_where_the_service_stops_utterances_end_and_have_finals() -> None:
    async with instant() as (channel, live):
        call = Call(channel)
        await call.send(config(), *parts(say("echo", "lima")))
        await call.read_until("turn")
        await call.send(*parts(quiet(0.1)))
        await live.drain()
        with suppress(ExecuteBatchError):  # the call may have ended meanwhile
            await call.send(*parts(say("papa")), END)
        found = await call.rest()
        assert len(of(found, "go_away")) == 1
        (final,) = of(found, "final")
        assert final.reason == streaming.END_REASON_SHUTDOWN
        assert final.text.startswith("echo")
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await answers(channel, track())
        assert reason_of(raised.value) == "WORKER_STOPS"


async def test_a_track_without_an_utterance_ends_where_the_service_stops() -> None:
    async with instant() as (channel, live):
        call = Call(channel)
        await call.send(config(), *parts(quiet(1)))
        await call.read_until("progress")
        await live.drain()
        assert len(of(await call.rest(), "go_away")) == 1


async def test_silence_takes_no_memory() -> None:
    async with instant() as (channel, _):
        found = await answers(
            channel,
            [config(), *parts(say("echo")), *[silence(3600)] * 20, *parts(say("lima")), END],
        )
    assert text(found) == "echo lima"
    assert of(found, "final")[1].range.start_offset.seconds >= 20 * 3600
    assert seconds(of(found, "progress")[-1].received_offset) > 20 * 3600


async def test_a_pause_within_a_frame_keeps_the_sound_before_it() -> None:
    sound = say("echo")[: 5 * 512 + 300]
    async with instant() as (channel, _):
        found = await answers(channel, [config(), *parts(sound), silence(2), END])
    assert text(found) == "echo"


def test_the_fake_reads_its_words_wherever_they_are_cut() -> None:
    sound = np.concatenate([quiet(0.3), say(*WORDS)])
    for cut in (0, 1, 100, 319, 4000):
        assert [word.text for word in read_words(sound[cut:])] == list(WORDS)
    assert len(sound) > SAMPLE_RATE
