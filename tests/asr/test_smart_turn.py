"""The turn detector `smart-turn`: its real model on real speech, and models that it refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from maie.asr.v1 import streaming_pb2 as streaming
from maie_asr.engine import SAMPLE_RATE, Samples
from maie_asr.live.listening import SileroDetector
from maie_asr.live.service import LiveService
from maie_asr.settings import AsrSettings, LiveSettings
from maie_asr.turn_detectors.smart_turn import (
    MODEL_FILE,
    WINDOW_SAMPLES,
    SmartTurn,
    create,
)
from maie_cli.models import trust
from maie_core.errors import StageError
from maie_core.options import TURN_MODEL
from maie_core.reasons import Reason
from maie_speech.silero import SHIPPED_MODEL
from tests.asr.live.calling import answers, of, served, track
from tests.asr.real_models import real_model
from tests.asr.recordings import ROOT
from tests.asr.test_real_readings import heard
from tests.live_engine import InstantEngine, instant_stage, quiet

pytestmark = [pytest.mark.unit, pytest.mark.asyncio(loop_scope="module")]

DATA = ROOT / "tests/data"
READING = ROOT / "samples/reading.flac"
# Silence after which the model is asked, in seconds.
QUESTIONS = (0.2, 0.4, 0.6)
LEAD_SECONDS = 0.3


@dataclass(frozen=True)
class Sentence:
    """A sentence, or a clause that ends like one.

    Attributes:
        file: Where it is.
        start: Where it begins, in seconds.
        word_ends: Where its words end.
        until: Where the next one begins, or the file ends.
    """

    file: Path
    start: float
    word_ends: tuple[float, ...]
    until: float

    def sound(self, end: float) -> Samples:
        """It and a little before it, up to a place."""
        begin = max(0.0, self.start - LEAD_SECONDS)
        return _audio(self.file)[round(begin * SAMPLE_RATE) : round(end * SAMPLE_RATE)]


@cache
def _audio(file: Path) -> Samples:
    return heard(file)


def sentences() -> Iterator[Sentence]:
    rows = json.loads((DATA / "readings/sentences.json").read_text())
    for row, following in zip(rows, [*rows[1:], {"file": ""}], strict=True):
        file = DATA / row["file"]
        last = following["file"] != row["file"]
        until = len(_audio(file)) / SAMPLE_RATE if last else following["start"]
        yield Sentence(file, row["start"], tuple(row["word_ends"]), until)


def settings(path: Path) -> AsrSettings:
    live = LiveSettings(
        turn_engine="smart-turn",
        turn_model_path=path,
        turn_detector="model",
        turn_answer_seconds=60,
        workers=2,
        partials=False,
    )
    return AsrSettings(live=live)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model() -> AsyncIterator[SmartTurn]:
    async with create(settings(real_model("smart-turn-v3.2"))) as model:
        yield model


@pytest.mark.slow
async def test_where_sentences_end_it_mostly_says_done(model: SmartTurn) -> None:
    done, count = 0, 0
    for sentence in sentences():
        end = sentence.word_ends[-1]
        places = [end + pause for pause in QUESTIONS if end + pause <= sentence.until]
        judged = [await model.probability(sentence.sound(place)) for place in places]
        assert all(0 <= probability <= 1 for probability in judged)
        done += max(judged, default=0.0) >= 0.5
        count += 1
    assert count == 21
    # 15 to 18, by the processor: the model's numbers are rounded to eight bits.
    assert done >= 15


@pytest.mark.slow
async def test_cut_in_the_middle_of_sentences_it_mostly_says_not_done(model: SmartTurn) -> None:
    cuts = [(each, end) for each in sentences() for end in each.word_ends[2:-1:3]]
    judged = [await model.probability(sentence.sound(end)) for sentence, end in cuts]
    assert len(judged) > 40
    assert np.mean(np.array(judged) < 0.5) > 0.7


async def test_it_ends_the_utterances_of_a_reading_at_sentences(model: SmartTurn) -> None:
    engine, asked = InstantEngine(), settings(real_model("smart-turn-v3.2"))
    sound = (_audio(READING), quiet(4))
    by_silence = streaming.StreamingOptions(turns={"detector": streaming.TURN_DETECTOR_VAD})
    with ThreadPoolExecutor(2) as executor:
        live = LiveService(asked, engine, engine, SileroDetector(), executor, model)
        async with live.running(), served(live) as channel:
            found = of(await answers(channel, track(*sound)), "final")
            silent = of(await answers(channel, track(*sound, options=by_silence)), "final")
    reasons = [final.reason for final in found]
    assert reasons.count(streaming.END_REASON_MODEL) >= 3
    # There is a comma with a long pause after it.
    assert len(found) < len(silent) == 5


async def test_what_is_before_the_window_does_not_count(model: SmartTurn) -> None:
    sound = _audio(READING)
    assert model.features(sound).shape == (80, 800)
    assert (model.features(sound) == model.features(sound[-WINDOW_SAMPLES:])).all()
    short = sound[: SAMPLE_RATE // 10]
    assert (model.features(short) == model.features(np.concatenate([quiet(7), short]))).all()


async def opened(path: Path) -> None:
    async with create(settings(path)):
        pass


async def test_a_missing_model_is_named_with_what_fetches_it(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"maie models pull smart-turn-v3\.2") as raised:
        await opened(tmp_path)
    assert raised.value.reason == Reason.MODEL_MISSING


@pytest.mark.parametrize(
    "content", [b"nothing", SHIPPED_MODEL.read_bytes()], ids=["no model", "another one"]
)
async def test_another_model_is_refused(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "model"
    shutil.copytree(real_model("smart-turn-v3.2"), folder)
    (folder / MODEL_FILE).write_bytes(content)
    with pytest.raises(StageError) as raised:
        await opened(folder)
    assert raised.value.reason == Reason.MODEL_CORRUPT
    trust(folder)
    with pytest.raises(StageError, match="Smart Turn") as raised:
        await opened(folder)
    assert raised.value.reason == Reason.MODEL_CORRUPT


async def test_a_service_opens_it_by_name_and_says_so() -> None:
    async with instant_stage(settings(real_model("smart-turn-v3.2"))) as stage:
        assert TURN_MODEL in stage.models()[0].capabilities
        async with served(stage.streams) as channel:
            (ready,) = of(await answers(channel, track()), "ready")
    assert ready.options.turns.detector == streaming.TURN_DETECTOR_MODEL
    async with instant_stage(AsrSettings()) as stage:
        assert TURN_MODEL not in stage.models()[0].capabilities
