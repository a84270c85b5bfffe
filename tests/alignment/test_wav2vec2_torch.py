"""The back end `torch` of the engine `wav2vec2`, in the environment that has torch."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest

from maie_alignment.engines.wav2vec2.engine import create
from maie_alignment.settings import AlignmentSettings, Wav2Vec2Settings
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_runtime.worker.cores import usable_cores
from tests.alignment.ctc_model import trust
from tests.alignment.engine_cases import needs_torch, read_aloud

pytestmark = [pytest.mark.unit, needs_torch]


@pytest.fixture(name="folder")
def _folder(tmp_path):
    # Needs packages that are not everywhere.
    from tests.alignment.torch_ctc_model import write_torch_model

    return write_torch_model(tmp_path / "tiny")


def settings(folder, **own):
    return AlignmentSettings(wav2vec2=Wav2Vec2Settings(model_path=folder, backend="torch", **own))


async def test_the_model_says_what_transformers_says(folder):
    import torch
    from transformers import Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

    from maie_alignment.engines.ctc.audio import waveform
    from maie_alignment.engines.wav2vec2.torch_model import TorchModel

    samples, _ = read_aloud()
    own = TorchModel(folder, settings(folder).wav2vec2)
    mine = own.run(waveform(samples, normalise=True), threading.Event())
    values = Wav2Vec2FeatureExtractor.from_pretrained(folder)(
        samples / 32768, sampling_rate=16_000, return_tensors="pt"
    ).input_values
    with torch.inference_mode():
        theirs = Wav2Vec2ForCTC.from_pretrained(folder)(values.float()).logits[0].numpy()
    assert mine == pytest.approx(theirs, abs=1e-3)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({"dtype": "bfloat16"}, "bfloat16"),
        ({"quantize_from_cores": 1}, "int8"),
        ({"quantize_from_cores": usable_cores() + 1}, "float32"),
    ],
)
async def test_what_it_computes_with_is_as_asked_and_reported(folder, own, expected):
    samples, words = read_aloud()
    async with create(settings(folder, **own)) as engine:
        assert engine.version.compute_type == expected
        assert len(await engine.align(samples, words)) == len(words)


async def test_weights_that_lack_a_name_are_refused(folder):
    from safetensors.numpy import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    kept = {name: each for name, each in weights.items() if not name.startswith("lm_head")}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    error = await refusal(trust(folder))
    assert error.reason == Reason.MODEL_CORRUPT
    assert "lm_head" in error.message


async def test_weights_with_a_name_too_many_are_refused(folder):
    from safetensors.numpy import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    more = {**weights, "other.weight": np.zeros(3, np.float32)}
    save_file(more, folder / "model.safetensors", {"format": "pt"})
    error = await refusal(trust(folder))
    assert error.reason == Reason.MODEL_CORRUPT
    assert "other.weight" in error.message


async def test_weights_of_another_size_are_refused(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "hidden_size": 64}))
    assert (await refusal(trust(folder))).reason == Reason.MODEL_CORRUPT


async def refusal(folder) -> StageError:
    with pytest.raises(StageError) as refused:
        async with create(settings(folder)):
            pass
    return refused.value
