"""Utterances that a model ends: what is asked, and what the answers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
import pytest
from pydantic import ValidationError

from maie.asr.v1 import streaming_pb2 as streaming
from maie_asr.engine import SAMPLE_RATE, Samples
from maie_asr.live.judge import MAX_JUDGED_SAMPLES, Judge
from maie_asr.live.load import LoadMeter
from maie_asr.live.scheduler import Priority, Scheduler
from maie_asr.live.service import LiveService
from maie_asr.settings import AsrSettings, LiveSettings
from maie_core.durations import seconds
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_speech.live.stalls import StallWatch
from tests.asr.live.calling import (
    END,
    Call,
    Request,
    answers,
    config,
    instant,
    of,
    parts,
    served,
    silence,
    text,
    track,
)
from tests.asr.live.test_calls import refusal
from tests.live_engine import InstantEngine, LoudnessDetector, quiet, read_words, say

pytestmark = pytest.mark.unit

DETECTOR_MODEL = streaming.TURN_DETECTOR_MODEL
BY_MODEL = streaming.StreamingOptions(turns=streaming.TurnOptions(detector=DETECTOR_MODEL))


async def _now() -> None:
    return


@dataclass
class LastWords:
    """Takes speakers for done after certain words.

    Attributes:
        words: The words.
        hook: Runs before each answer; may wait or raise.
        asked: The sounds that were judged.
    """

    words: tuple[str, ...]
    hook: Callable[[], Awaitable[None]] = _now
    asked: list[Samples] = field(default_factory=list)

    async def probability(self, samples: Samples) -> float:
        """High after such a word."""
        self.asked.append(samples)
        await self.hook()
        spoken = read_words(samples)
        return 0.875 if spoken and spoken[-1].text in self.words else 0.25


@asynccontextmanager
async def judged(model: LastWords, **options: Any) -> AsyncIterator[grpc.aio.Channel]:
    """A server that asks a model, and waits for its answers however slow the machine is."""
    live = LiveSettings(
        **{"workers": 2, "turn_engine": "smart-turn", "turn_answer_seconds": 60, **options}
    )
    settings, engine = AsrSettings(live=live), InstantEngine()
    with ThreadPoolExecutor(2) as executor:
        service = LiveService(settings, engine, engine, LoudnessDetector(), executor, model)
        async with service.running(), served(service) as channel:
            yield channel


def ends(responses: list[Any]) -> list[Any]:
    return [turn for turn in of(responses, "turn") if turn.event == streaming.TURN_EVENT_ENDED]


@pytest.mark.parametrize("size", [320, 1600, 16_000])
async def test_a_model_ends_utterances_and_not_the_pauses_within(size: int) -> None:
    sound = [say("echo"), quiet(1), say("lima"), quiet(0.5), say("papa"), quiet(1)]
    async with judged(LastWords(("lima", "papa"))) as channel:
        found = await answers(
            channel,
            [config(options=BY_MODEL), *parts(np.concatenate(sound), size), END],
        )
    assert [final.text for final in of(found, "final")] == ["echo lima", "papa"]
    assert {final.reason for final in of(found, "final")} == {streaming.END_REASON_MODEL}
    assert [turn.confidence for turn in ends(found)] == [0.875, 0.875]
    first = ends(found)[0]
    assert (first.reason, round(seconds(first.offset), 1)) == (streaming.END_REASON_MODEL, 1.5)


async def test_long_silence_ends_what_the_model_takes_for_unfinished() -> None:
    model = LastWords(())
    options = streaming.StreamingOptions(turns={"max_silence": {"seconds": 2}})
    async with judged(model, turn_detector="model") as channel:
        found = await answers(channel, track(say("echo"), quiet(5), options=options))
    (final,), (end,) = of(found, "final"), ends(found)
    assert (final.text, final.reason) == ("echo", streaming.END_REASON_SILENCE)
    assert (end.reason, end.confidence) == (streaming.END_REASON_SILENCE, 0.25)
    lengths = [len(sound) / SAMPLE_RATE for sound in model.asked]
    assert len(lengths) == 9
    assert lengths == sorted(lengths)


async def test_a_muted_microphone_is_a_pause_to_the_model() -> None:
    model = LastWords(("lima",))
    requests = [*parts(say("echo")), silence(1), *parts(say("lima")), silence(60)]
    async with judged(model) as channel:
        found = await answers(channel, [config(options=BY_MODEL), *requests, END])
    assert [final.text for final in of(found, "final")] == ["echo lima"]
    assert not model.asked[0][-SAMPLE_RATE // 10 :].any()


async def test_a_model_judges_the_end_of_a_long_utterance() -> None:
    model = LastWords(("zulu",))
    async with judged(model) as channel:
        found = await answers(
            channel, track(say(*["echo"] * 40, "zulu"), quiet(1), options=BY_MODEL)
        )
    assert of(found, "final")[0].reason == streaming.END_REASON_MODEL
    assert [len(sound) for sound in model.asked] == [MAX_JUDGED_SAMPLES]


async def test_a_probable_end_is_announced_while_the_model_says_no() -> None:
    turns = streaming.TurnOptions(detector=DETECTOR_MODEL, eager_end=True)
    options = streaming.StreamingOptions(turns=turns)
    async with judged(LastWords(())) as channel:
        call = Call(channel)
        await call.send(config(options=options), *parts(say("echo")), *parts(quiet(0.6)))
        await call.read_until("turn")
        announced = await call.read_until("turn")
        assert (announced.event, announced.text) == (streaming.TURN_EVENT_EAGER_END, "echo")
        await call.send(*parts(say("lima")), END)
        assert (await call.read_until("turn")).event == streaming.TURN_EVENT_RESUMED
        assert text(await call.rest()) == "echo lima"


async def test_late_answers_are_ignored() -> None:
    never = asyncio.Event()

    async def wait() -> None:
        await never.wait()

    model = LastWords(("echo",), hook=wait)
    options = {"turn_answer_seconds": 0.01, "turn_max_silence_seconds": 1}
    async with judged(model, workers=1, partials=False, **options) as channel:
        call = Call(channel)
        await call.send(config(options=BY_MODEL), *parts(say("echo")), *parts(quiet(2)), END)
        (ended,) = [
            turn
            for turn in [await call.read_until("turn") for _ in range(2)]
            if turn.event == streaming.TURN_EVENT_ENDED
        ]
        assert (ended.reason, ended.HasField("confidence")) == (streaming.END_REASON_SILENCE, False)
        # The one worker is free again.
        never.set()
        assert text(await call.rest()) == "echo"


async def test_a_model_that_fails_fails_the_track_alone() -> None:
    async def fail() -> None:
        raise ZeroDivisionError("secret")

    async with judged(LastWords((), hook=fail)) as channel:
        requests = track(say("echo"), quiet(1), options=BY_MODEL)
        assert await refusal(channel, requests) == ("INTERNAL", "ENGINE_FAILED")
        assert text(await answers(channel, track(say("echo"), quiet(1)))) == "echo"


async def test_a_service_without_a_model_refuses_it_at_the_first_message() -> None:
    async with instant() as (channel, live):
        found = await refusal(channel, [config(options=BY_MODEL)])
        assert found == ("INVALID_ARGUMENT", "OPTION_NOT_SUPPORTED")
        later: list[Request] = [config(), Request(configure=BY_MODEL), END]
        assert await refusal(channel, later) == ("INVALID_ARGUMENT", "OPTION_NOT_SUPPORTED")
        assert not live.tracks


@pytest.mark.parametrize(
    "turns", [{"end_threshold": 0.01}, {"max_silence": {"seconds": 11}}, {"max_silence": {}}]
)
async def test_options_out_of_range_are_refused(turns: dict[str, Any]) -> None:
    async with judged(LastWords(())) as channel:
        requests = [config(options=streaming.StreamingOptions(turns=turns))]
        assert await refusal(channel, requests) == ("INVALID_ARGUMENT", "OPTION_OUT_OF_RANGE")


async def test_what_is_ready_says_how_a_model_is_asked() -> None:
    async with judged(LastWords(()), turn_end_threshold=0.7) as channel:
        (ready,) = of(await answers(channel, [config(options=BY_MODEL), END]), "ready")
    assert ready.options.turns.detector == DETECTOR_MODEL
    assert ready.options.turns.end_threshold == 0.7
    assert seconds(ready.options.turns.max_silence) == 3


def test_a_model_as_the_default_needs_an_engine() -> None:
    with pytest.raises(ValidationError, match="turn_engine"):
        LiveSettings(turn_detector="model")


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(StageError) as raised:
        AsrSettings(live=LiveSettings(turn_engine="oracle")).check()
    assert (raised.value.code, raised.value.reason) == (
        Code.FAILED_PRECONDITION,
        Reason.ENGINE_NOT_FOUND,
    )


async def test_finals_come_before_questions_and_partials_after_them() -> None:
    order: list[str] = []

    def noted(name: str) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            order.append(name)

        return work

    class Noting:
        async def probability(self, samples: Samples) -> float:
            order.append("question")
            return 0.5

    scheduler = Scheduler(1, LoadMeter(1, lambda: 0.0), StallWatch(60))
    scheduler.submit(Priority.PARTIAL, noted("partial"))
    scheduler.submit(Priority.EAGER, noted("eager"))
    asking = asyncio.create_task(Judge(Noting(), scheduler, 60).ask(quiet(1)))
    await asyncio.sleep(0)
    scheduler.submit(Priority.FINAL, noted("final"))
    async with scheduler.running():
        assert await asking == 0.5
        await scheduler.idle()
    assert order == ["final", "question", "eager", "partial"]
