"""The engine `sortformer`, with the true library and a small model that knows no voices."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from maie_diarization.clustering import Hints, identify
from maie_diarization.engine import SAMPLE_RATE
from maie_diarization.engines import embedded
from maie_diarization.engines.sortformer.activity import speaking
from maie_diarization.engines.sortformer.engine import SortformerEngine
from maie_diarization.engines.sortformer.model import load_model
from tests.diarization import recordings
from tests.diarization.engine_cases import CASES, skipped_without
from tests.diarization.recordings import everything, reading, standup
from tests.diarization.sortformer_model import SPEAKERS

CASE = CASES["sortformer"]
pytestmark = [
    pytest.mark.unit,
    pytest.mark.asyncio(loop_scope="module"),
    *skipped_without(CASE.packages),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SortformerEngine]:
    async with CASE.create(CASE.settings(tmp_path_factory.mktemp("sortformer"))) as opened:
        assert isinstance(opened, SortformerEngine)
        yield opened


async def test_its_steps_say_what_the_library_says_of_the_whole(engine: SortformerEngine) -> None:
    import torch

    samples = standup()
    sound = torch.from_numpy(samples / np.float32(32768))[np.newaxis]
    beats: list[None] = []
    with engine.weights.using(lambda: None) as model:
        found, frame = speaking(model, samples, lambda: beats.append(None))
        with torch.inference_mode():
            (whole,) = model(
                audio_signal=sound, audio_signal_length=torch.tensor([len(samples)])
            ).numpy()

    assert found.shape == (round(len(samples) / SAMPLE_RATE / frame), SPEAKERS)
    np.testing.assert_allclose(found, whole, atol=1e-4)
    # 74 s, in steps of 27 s.
    assert len(beats) == 4


async def test_it_knows_people_by_the_embeddings_of_the_engine_embedded(
    engine: SortformerEngine,
) -> None:
    samples, known = reading(), recordings.engine()
    enrolled = identify(
        [known.listen(samples, everything(samples), lambda: None)],
        Hints(speaker_count=1),
        known.calibration,
        lambda: None,
    ).centroids[0]

    same, other = (
        [
            float(voice.embedding @ enrolled)
            for voice in engine.listen(each, everything(each), lambda: None)
            if voice.embedding is not None
        ]
        for each in (samples, standup())
    )

    assert engine.embedding_space == known.embedding_space == embedded.embedding_space()
    assert engine.calibration.same_speaker == embedded.CALIBRATION.same_speaker
    assert min(same) > engine.calibration.same_person > max(other)


async def test_where_two_speak_nobody_is_embedded(engine: SortformerEngine) -> None:
    samples = reading()
    with engine.weights.using(lambda: None) as model:
        last = model.sortformer_modules.single_hidden_to_spks
        before = last.bias.detach().clone()
        last.bias.data[:2] = 9.0
        last.weight.data[:2] /= 1e3
    try:
        voices = engine.listen(samples, everything(samples), lambda: None)
    finally:
        last.bias.data.copy_(before)
        last.weight.data[:2] *= 1e3

    assert len(voices) == 2
    assert [voice.turns for voice in voices] == [(voices[0].window,)] * 2
    assert [(voice.embedding, voice.clean_duration) for voice in voices] == [(None, 0.0)] * 2


async def test_loading_it_leaves_the_chance_of_the_process_alone(
    engine: SortformerEngine,
) -> None:
    import torch

    random.seed(1)
    expected = random.random()
    random.seed(1)

    load_model(Path(engine.version.model_path), torch.device("cpu"))

    assert random.random() == expected
