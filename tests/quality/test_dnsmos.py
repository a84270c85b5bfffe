"""The engine `dnsmos` gives what Microsoft's own script gives."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_quality.engine import Opinion, Rating, mean_opinion
from maie_quality.engines.dnsmos import WINDOW, DnsmosEngine
from maie_quality.engines.dnsmos.mel import mel_levels
from maie_quality.engines.dnsmos.models import P808, P835
from maie_runtime.gpu.devices import Device
from maie_speech.frames import SAMPLE_RATE
from maie_speech.onnx_sessions import PROVIDERS
from maie_speech.shipped_models import ShippedModel, open_model
from maie_speech.speech import Samples
from tests.asr.recordings import read_audio

pytestmark = pytest.mark.unit

READING = Path(__file__).parents[2] / "samples" / "reading.flac"


@pytest.fixture(scope="module")
def reading() -> Samples:
    return read_audio(READING)


@pytest.fixture(scope="module")
def engine() -> DnsmosEngine:
    return DnsmosEngine.load()


def rate(engine: DnsmosEngine, samples: Samples, step: float = 1.0) -> list[Rating]:
    return engine.rate(samples, step, lambda: None)


# What speechmos 0.0.1.1 gives for the first seconds of the reading.
@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (3.0, Opinion(overall=2.9402, speech=3.4689, background=3.4594, crowd=3.4259)),
        (9.5, Opinion(overall=3.2501, speech=3.5839, background=3.9229, crowd=3.5880)),
        (10.6, Opinion(overall=3.2501, speech=3.5839, background=3.9229, crowd=3.5880)),
    ],
)
def test_it_agrees_with_microsofts_script(
    engine: DnsmosEngine, reading: Samples, seconds: float, expected: Opinion
) -> None:
    ratings = rate(engine, reading[: round(seconds * SAMPLE_RATE)])
    found = mean_opinion([each.opinion for each in ratings])
    assert found.overall == pytest.approx(expected.overall, abs=0.01)
    assert found.speech == pytest.approx(expected.speech, abs=0.01)
    assert found.background == pytest.approx(expected.background, abs=0.01)
    assert found.crowd == pytest.approx(expected.crowd, abs=0.01)


def test_it_agrees_in_silence_and_in_almost_nothing(engine: DnsmosEngine, reading: Samples) -> None:
    (silence,) = rate(engine, np.zeros(10 * SAMPLE_RATE, np.int16))
    assert silence.opinion.overall == pytest.approx(1.8399, abs=0.01)
    assert silence.opinion.crowd == pytest.approx(2.1468, abs=0.01)
    (tiny,) = rate(engine, reading[16_000:16_100])
    assert tiny.opinion.overall == pytest.approx(1.4884, abs=0.01)
    assert (tiny.start, tiny.end) == (0, 100)


@pytest.mark.parametrize("step", [1.0, 2.5])
def test_windows_follow_each_other_by_the_step(
    engine: DnsmosEngine, reading: Samples, step: float
) -> None:
    beats = 0

    def beat() -> None:
        nonlocal beats
        beats += 1

    ratings = engine.rate(reading[: 15 * SAMPLE_RATE], step, beat)
    starts = [each.start for each in ratings]
    assert starts == list(range(0, 15 * SAMPLE_RATE - WINDOW + 1, round(step * SAMPLE_RATE)))
    assert {each.end - each.start for each in ratings} == {WINDOW}
    assert beats == len(ratings)


def test_nothing_has_no_rating(engine: DnsmosEngine) -> None:
    assert rate(engine, np.zeros(0, np.int16)) == []


def test_noise_is_heard(engine: DnsmosEngine, reading: Samples) -> None:
    noise = np.random.default_rng(1).normal(0, 1500, WINDOW)
    noisy = np.clip(reading[:WINDOW] + noise, -32768, 32767).astype(np.int16)
    (clean,), (worse,) = rate(engine, reading[:WINDOW]), rate(engine, noisy)
    assert worse.opinion.overall < clean.opinion.overall - 0.5
    assert clean.opinion.background is not None
    assert worse.opinion.background is not None
    assert worse.opinion.background < clean.opinion.background - 1


def test_mel_levels_have_900_frames_of_120_bands_and_a_tone_is_in_its_band() -> None:
    time = np.arange(WINDOW - 160) / SAMPLE_RATE
    low, high = (
        mel_levels(np.sin(2 * np.pi * hertz * time).astype(np.float32)) for hertz in (200, 5000)
    )
    assert low.shape == high.shape == (900, 120)
    assert low.max() == high.max() == 1
    assert low.min() >= -1
    assert low.mean(axis=0).argmax() < 20
    assert 80 < high.mean(axis=0).argmax() < 110


@pytest.mark.parametrize(("device", "provider"), PROVIDERS.items())
def test_it_runs_where_it_is_told_to_and_says_where(device: Device, provider: str) -> None:
    if provider in onnxruntime.get_available_providers():
        assert DnsmosEngine.load(device=device).version.device == device
    else:
        with pytest.raises(StageError, match="set MAIE_QUALITY_DEVICE to cpu") as caught:
            DnsmosEngine.load(device=device)
        assert caught.value.reason == Reason.DEVICE_UNAVAILABLE


def test_it_runs_on_the_first_device_that_there_is() -> None:
    present = onnxruntime.get_available_providers()
    first = next(device for device, provider in PROVIDERS.items() if provider in present)
    engine = DnsmosEngine.load(device="auto")
    assert engine.version.device == first
    assert (engine.vram_bytes == 0) == (first == "cpu")


@pytest.mark.parametrize("model", [P835, P808], ids=lambda model: model.name)
def test_another_file_is_refused(model: ShippedModel, tmp_path: Path) -> None:
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
