"""What every engine promises, for every engine that is installed."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest
import pytest_asyncio

from maie_diarization.clustering import Hints, identify
from maie_diarization.engine import SAMPLE_RATE, Engine, Samples, SpeechRange, Turn, Voice
from tests.diarization.engine_cases import CASES, cases
from tests.diarization.recordings import everything, part, standup

pytestmark = [pytest.mark.unit, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=cases())
async def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Engine]:
    case = CASES[request.param]
    async with case.create(case.settings(tmp_path_factory.mktemp(request.param))) as opened:
        yield opened


def conversation() -> Samples:
    """Seven seconds in which two speak, one after the other."""
    return part(standup(), 0, 7)


def heard(engine: Engine, samples: Samples) -> list[Voice]:
    return engine.listen(samples, everything(samples), lambda: None)


def places(voices: Sequence[Voice]) -> list[tuple[Turn, tuple[Turn, ...], float]]:
    return [(voice.window, voice.turns, voice.clean_duration) for voice in voices]


def check(voices: Sequence[Voice], samples: Samples) -> None:
    """What holds for the voices of any chunk."""
    length = len(samples) / SAMPLE_RATE
    assert [voice.window.start for voice in voices] == sorted(v.window.start for v in voices)
    for voice in voices:
        edges = [edge for turn in voice.turns for edge in (turn.start, turn.end)]
        assert edges
        assert 0 <= voice.window.start < voice.window.end <= length + 1e-6
        assert edges == sorted(edges)
        assert all(turn.start < turn.end for turn in voice.turns)
        assert voice.window.start <= edges[0]
        assert edges[-1] <= voice.window.end + 1e-6
        assert 0 <= voice.clean_duration <= voice.window.end - voice.window.start + 0.1
    vectors = [voice.embedding for voice in voices if voice.embedding is not None]
    for vector in vectors:
        assert vector.shape == vectors[0].shape
        assert vector.dtype == np.float32
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)


async def test_voices_have_places_within_the_chunk_and_embeddings_of_one_space(
    engine: Engine,
) -> None:
    samples = conversation()

    voices = heard(engine, samples)

    check(voices, samples)
    assert any(voice.embedding is not None for voice in voices)
    spoken = sum(turn.end - turn.start for voice in voices for turn in voice.turns)
    windows = sum(window.end - window.start for window in {voice.window for voice in voices})
    assert spoken > windows / 3


async def test_the_same_chunk_has_the_same_voices(engine: Engine) -> None:
    samples = conversation()

    assert places(heard(engine, samples)) == places(heard(engine, samples))


async def test_the_voices_of_one_window_are_different_speakers(engine: Engine) -> None:
    if engine.version.engine == "pyannote":
        pytest.skip("its model for tests knows no voices, so that it hears one")
    voices = heard(engine, part(standup(), 0, 12))
    by_window = Counter(voice.window for voice in voices)
    most = max(by_window.values())
    assert most > 1

    found = identify([voices], Hints(speaker_count=most), engine.calibration, lambda: None)

    assert len(found.centroids) == most
    (speakers,) = found.speakers
    who = {(voice.window, speaker) for voice, speaker in zip(voices, speakers, strict=True)}
    assert Counter(window for window, _ in who) == by_window


@pytest.mark.parametrize("length", [0, 1, SAMPLE_RATE // 10, SAMPLE_RATE])
async def test_a_chunk_may_be_short(engine: Engine, length: int) -> None:
    samples = conversation()[SAMPLE_RATE : SAMPLE_RATE + length]
    speech = everything(samples) if length else []

    check(engine.listen(samples, speech, lambda: None), samples)


async def test_where_nobody_speaks_there_are_no_voices(engine: Engine) -> None:
    assert engine.listen(np.zeros(3 * SAMPLE_RATE, np.int16), [], lambda: None) == []


async def test_noise_and_silence_harm_nothing(engine: Engine) -> None:
    noise = np.random.default_rng(1).integers(-32768, 32768, 6 * SAMPLE_RATE).astype(np.int16)

    for samples in (noise, np.zeros_like(noise)):
        check(heard(engine, samples), samples)


async def test_it_beats_and_what_a_heartbeat_raises_ends_the_call(engine: Engine) -> None:
    class StopError(Exception):
        pass

    beats = 0

    def beat() -> None:
        nonlocal beats
        beats += 1
        if beats == 2:
            raise StopError

    samples = conversation()
    with pytest.raises(StopError):
        engine.listen(samples, everything(samples), beat)

    assert beats == 2
    # It takes the next chunk as ever.
    check(heard(engine, samples), samples)


async def test_two_chunks_at_once_have_the_voices_of_one_alone(engine: Engine) -> None:
    one, other = conversation(), part(standup(), 7, 12)
    alone = [places(heard(engine, each)) for each in (one, other)]

    together = await asyncio.gather(
        *(asyncio.to_thread(heard, engine, each) for each in (one, other))
    )

    assert [places(each) for each in together] == alone


async def test_only_speech_that_is_named_has_to_be_listened_to(engine: Engine) -> None:
    samples = conversation()
    speech = [SpeechRange(start=0, end=2 * SAMPLE_RATE)]

    check(engine.listen(samples, speech, lambda: None), samples)


async def test_the_version_names_the_software_and_the_weights(engine: Engine) -> None:
    version = engine.version

    assert re.fullmatch(r"[0-9a-f]{64}", version.checkpoint_sha256)
    assert re.search(r"\d+\.\d+", version.library)
    assert version.engine
    assert version.model_name
    assert version.device == "cpu"
    assert engine.vram_bytes == 0
    assert engine.description.endswith(".")
    assert engine.embedding_space


async def test_a_calibration_is_one(engine: Engine) -> None:
    calibration = engine.calibration

    assert 0 < calibration.same_speaker <= calibration.surely_same_speaker <= 1
    assert 0 <= calibration.min_speaker_share < 1
    assert 0 < calibration.min_duration <= calibration.min_speaker_duration
    margins = [margin for margin, _ in calibration.count_accuracy]
    assert margins == sorted(margins)
    assert all(0 <= accuracy <= 1 for _, accuracy in calibration.count_accuracy)


async def test_weights_come_back_after_they_were_unloaded(engine: Engine) -> None:
    if engine.weights is None:
        pytest.skip("its models stay in memory")
    samples = conversation()
    before = places(heard(engine, samples))

    await engine.weights.unload()
    await engine.weights.unload()
    with pytest.raises(RuntimeError, match="not loaded"):
        heard(engine, samples)
    await engine.weights.load()
    await engine.weights.load()

    assert places(heard(engine, samples)) == before
