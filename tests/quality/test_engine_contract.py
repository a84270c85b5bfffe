"""What every engine promises, for every engine that ships."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import pytest_asyncio

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_quality.engine import SAMPLE_RATE, Engine, Opinion, Rating, Samples
from maie_quality.settings import QualitySettings
from maie_runtime.gpu.devices import Device
from maie_speech.onnx_sessions import PROVIDERS
from maie_speech.shipped_models import ShippedModel, open_model
from tests.asr.recordings import read_audio
from tests.quality.engine_cases import CASES, Case

pytestmark = [pytest.mark.unit, pytest.mark.asyncio(loop_scope="module")]

READING = Path(__file__).parents[2] / "samples" / "reading.flac"
SCORES = ("overall", "speech", "background", "crowd")
# An opinion is a prediction, and may be a little outside.
LOWEST, HIGHEST = 0.5, 5.5


@pytest.fixture(scope="module")
def reading() -> Samples:
    return read_audio(READING)


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(case: Case) -> AsyncIterator[Engine]:
    async with case.create(QualitySettings(device="cpu")) as opened:
        yield opened


def rate(engine: Engine, samples: Samples, step: float = 60.0) -> list[Rating]:
    return engine.rate(samples, step, lambda: None)


def scores(opinion: Opinion) -> dict[str, float]:
    """The scores that an opinion has."""
    all_of_it = {name: getattr(opinion, name) for name in SCORES}
    return {name: score for name, score in all_of_it.items() if score is not None}


def silence(length: int) -> Samples:
    return np.zeros(length, np.int16)


async def test_it_says_what_it_is(engine: Engine) -> None:
    version = engine.version
    assert version.engine
    assert version.model_name
    assert version.library.startswith("onnxruntime ")
    assert version.device == "cpu"
    assert re.fullmatch("[0-9a-f]{64}", version.checkpoint_sha256)
    assert engine.description.endswith(".")
    assert engine.vram_bytes == 0


async def test_nothing_has_no_rating(engine: Engine) -> None:
    assert rate(engine, silence(0)) == []


@pytest.mark.parametrize("length", [1, 80, 81, 16_001, 100_003])
async def test_a_sound_that_is_shorter_than_a_window_is_one(
    case: Case, engine: Engine, reading: Samples, length: int
) -> None:
    (rating,) = rate(engine, reading[40_000 : 40_000 + length], step=5.0)
    assert (rating.start, rating.end) == (0, length)
    assert tuple(scores(rating.opinion)) == case.scores
    assert all(LOWEST < score < HIGHEST for score in scores(rating.opinion).values())


@pytest.mark.parametrize("more", [-1, 0, 1, SAMPLE_RATE + 1])
async def test_what_is_behind_the_last_whole_window_is_in_none(
    case: Case, engine: Engine, reading: Samples, more: int
) -> None:
    (rating,) = rate(engine, reading[: case.window + more], step=2.0)
    assert (rating.start, rating.end) == (0, min(case.window, case.window + more))


@pytest.mark.parametrize("step", [1.3, 2.5])
async def test_windows_follow_each_other_by_the_step(
    case: Case, engine: Engine, reading: Samples, step: float
) -> None:
    samples = reading[: 14 * SAMPLE_RATE]
    ratings = rate(engine, samples, step)
    assert ratings[0].start == 0
    assert {each.end - each.start for each in ratings} == {case.window}
    apart = {after.start - before.start for before, after in pairwise(ratings)}
    assert apart == {round(step * SAMPLE_RATE)}
    left = len(samples) - ratings[-1].end
    assert 0 <= left < step * SAMPLE_RATE


async def test_each_window_beats_and_what_a_beat_raises_ends_the_call(
    case: Case, engine: Engine, reading: Samples
) -> None:
    class CancelledByTest(Exception):
        pass

    beats = 0

    def beat() -> None:
        nonlocal beats
        beats += 1
        if beats == 4:
            raise CancelledByTest

    samples = reading[: case.window + 5 * SAMPLE_RATE]
    assert len(engine.rate(samples, 2.0, beat)) == beats == 3
    with pytest.raises(CancelledByTest):
        engine.rate(samples, 2.0, beat)
    assert beats == 4
    assert len(rate(engine, samples)) == 1


@pytest.mark.parametrize(
    "make",
    [
        silence,
        lambda length: np.full(length, 1, np.int16),
        lambda length: np.full(length, -32768, np.int16),
        lambda length: np.where(np.arange(length) % 2, 32767, -32768).astype(np.int16),
    ],
    ids=["silence", "one", "lowest", "square"],
)
async def test_what_is_no_speech_has_a_finite_opinion(
    case: Case, engine: Engine, make: Callable[[int], Samples]
) -> None:
    (rating,) = rate(engine, make(case.window))
    assert tuple(scores(rating.opinion)) == case.scores
    assert all(np.isfinite(score) for score in scores(rating.opinion).values())


async def test_a_window_is_rated_as_it_is_alone(
    case: Case, engine: Engine, reading: Samples
) -> None:
    *_, last = rate(engine, reading[: case.window + 5 * SAMPLE_RATE], step=4.0)
    assert last.start == 4 * SAMPLE_RATE
    (alone,) = rate(engine, reading[last.start : last.end])
    assert scores(alone.opinion) == pytest.approx(scores(last.opinion), abs=0.01)


async def test_noise_is_heard(case: Case, engine: Engine, reading: Samples) -> None:
    clean = reading[: case.window]
    noise = np.random.default_rng(1).normal(0, 1500, len(clean))
    noisy = np.clip(clean + noise, -32768, 32767).astype(np.int16)
    (better,), (worse,) = rate(engine, clean), rate(engine, noisy)
    assert worse.opinion.overall < better.opinion.overall - 0.5


async def test_the_sound_is_not_changed(case: Case, engine: Engine, reading: Samples) -> None:
    samples = reading[: case.window].copy()
    samples.flags.writeable = False
    rate(engine, samples)
    assert np.array_equal(samples, reading[: case.window])


async def test_calls_may_overlap(engine: Engine, reading: Samples) -> None:
    parts = [reading[place * SAMPLE_RATE :][: 3 * SAMPLE_RATE] for place in range(0, 16, 4)]
    alone = [scores(rate(engine, part)[0].opinion) for part in parts]
    with ThreadPoolExecutor(len(parts)) as threads:
        together = list(threads.map(lambda part: rate(engine, part), parts))
    for (rating,), expected in zip(together, alone, strict=True):
        assert scores(rating.opinion) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("device", "provider"), PROVIDERS.items())
async def test_it_runs_where_the_settings_say_and_reports_it(
    case: Case, device: Device, provider: str
) -> None:
    settings = QualitySettings(device=device)
    if provider in onnxruntime.get_available_providers():
        async with case.create(settings) as engine:
            assert engine.version.device == device
        return
    with pytest.raises(StageError, match="set MAIE_QUALITY_DEVICE to cpu") as caught:
        async with case.create(settings):
            pass
    assert caught.value.reason == Reason.DEVICE_UNAVAILABLE


async def test_it_runs_on_the_first_device_that_there_is(case: Case) -> None:
    present = onnxruntime.get_available_providers()
    first = next(device for device, provider in PROVIDERS.items() if provider in present)
    async with case.create(QualitySettings(device="auto")) as engine:
        assert engine.version.device == first
        assert (engine.vram_bytes == 0) == (first == "cpu")


@pytest.mark.parametrize(
    "model", [model for case in CASES.values() for model in case.models], ids=lambda each: each.name
)
async def test_another_file_is_refused(model: ShippedModel, tmp_path: Path) -> None:
    path = tmp_path / model.path.name
    shutil.copyfile(model.path, path)
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(b"\0another")

    with pytest.raises(StageError, match="install the package maie-quality again") as caught:
        open_model(replace(model, path=path), 1)

    assert (caught.value.code, caught.value.reason) == (
        *(Code.FAILED_PRECONDITION, Reason.MODEL_CORRUPT),
    )
