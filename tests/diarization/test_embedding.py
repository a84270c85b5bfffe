"""Whose voice it is."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_diarization.engine import SAMPLE_RATE, Embedding, Samples
from maie_diarization.engines.embedded import CALIBRATION
from maie_diarization.engines.embedded.channel import Channel
from maie_diarization.engines.embedded.encoder import embed
from maie_diarization.engines.embedded.mel import BANDS, mel_power
from maie_diarization.engines.embedded.models import CAMPPLUS, CHANNELS, PYANNET
from maie_speech.shipped_models import ShippedModel, open_arrays, open_model
from tests.diarization.recordings import by_telephone, noisy, part, reading, standup

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def encoder():
    return open_model(CAMPPLUS, 1)


def tone(hertz: float, level: float) -> Samples:
    times = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    return np.round(32768 * level * np.sin(2 * np.pi * hertz * times)).astype(np.int16)


def test_a_tone_is_in_its_band_at_its_power() -> None:
    soft, loud, high = (
        mel_power(tone(*each))[50] for each in [(300, 0.1), (300, 0.2), (6000, 0.1)]
    )

    assert soft.shape == (BANDS,)
    assert np.argmax(soft) == np.argmax(loud) < np.argmax(high)
    assert loud.sum() / soft.sum() == pytest.approx(4, rel=0.01)
    assert soft.max() > 100 * soft[20:].max()


def test_there_is_a_frame_for_each_hundredth_of_a_second() -> None:
    assert [len(mel_power(np.zeros(length, np.int16))) for length in (0, 159, 160, 1600)] == [
        *(1, 1, 2, 11)
    ]


def test_a_voice_is_most_like_itself(encoder) -> None:
    texts = [part(reading(), 0, 4), part(reading(), 8, 12), part(standup(), 1, 4)]

    one, same, other = _embeddings(encoder, texts)

    assert one @ same > one @ other + 0.1
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)


def test_a_voice_in_noise_is_still_like_itself_and_no_more_like_others(encoder) -> None:
    clear, other = part(reading(), 0, 6), part(standup(), 0, 6)
    one, another, noisy_one, noisy_other = _embeddings(
        encoder, [clear, other, noisy(clear, 10), noisy(other, 10)]
    )

    assert noisy_one @ one > 0.8
    assert noisy_one @ noisy_other < one @ another + 0.15


def test_the_telephone_makes_voices_no_more_alike(encoder) -> None:
    sounds = [part(reading(), 0, 4), part(standup(), 1, 4)]
    channel = Channel()
    clear = [channel.without(each) for each in _embeddings(encoder, sounds)]
    raw = _embeddings(encoder, [by_telephone(sound) for sound in sounds])
    called = [channel.without(each) for each in raw]

    assert called[0] @ called[1] < raw[0] @ raw[1] - 0.1
    assert called[0] @ called[1] < CALIBRATION.same_speaker
    assert min(one @ other for one, other in zip(clear, called, strict=True)) > 0.5
    assert np.linalg.norm(called, axis=1) == pytest.approx(1, abs=1e-5)


def test_the_channel_has_what_all_voices_share_and_the_direction_of_the_telephone() -> None:
    shared, telephone = open_arrays(CHANNELS)

    assert 0 < np.linalg.norm(shared) < 0.5
    assert np.linalg.norm(telephone) == pytest.approx(1, abs=1e-5)


def test_a_very_short_voice_has_an_embedding(encoder) -> None:
    (short,) = embed(encoder, [mel_power(part(reading(), 1, 1.4))], lambda: None)

    assert np.isfinite(short).all()


@pytest.mark.parametrize("model", [PYANNET, CAMPPLUS, CHANNELS], ids=lambda model: model.name)
def test_another_file_is_refused(model: ShippedModel, tmp_path: Path) -> None:
    path = tmp_path / model.path.name
    shutil.copyfile(model.path, path)
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(b"\0another")

    with pytest.raises(StageError, match="install the package") as caught:
        open_model(replace(model, path=path), 1)

    assert (caught.value.code, caught.value.reason) == (
        *(Code.FAILED_PRECONDITION, Reason.MODEL_CORRUPT),
    )


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="cannot be read") as caught:
        open_model(replace(CAMPPLUS, path=tmp_path / "none.onnx"), 1)

    assert caught.value.reason == Reason.MODEL_MISSING


def _embeddings(encoder, sounds: list[Samples]) -> list[Embedding]:
    return embed(encoder, [mel_power(sound) for sound in sounds], lambda: None)
