"""The engine chunkformer: what it refuses, and, where its packages are, what it does."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maie_asr.engine import SAMPLE_RATE, RecognizeOptions, Speech, SpeechRange
from maie_asr.engines.chunkformer.convert import convert
from maie_asr.engines.chunkformer.engine import create, seconds_of
from maie_asr.engines.chunkformer.model import find_model, require_packages
from maie_asr.settings import AsrSettings, ChunkformerSettings
from maie_core.errors import Code, StageError
from maie_core.models import verify_directory
from tests.asr.chunkformer_model import write_checkpoint
from tests.asr.recordings import BUG_AND_BUDGET, read_audio

# Importing torch and transformers for the first time takes a minute on a busy machine.
pytestmark = pytest.mark.unit


def installed() -> bool:
    try:
        require_packages()
    except StageError:
        return False
    return True


needs_packages = pytest.mark.skipif(not installed(), reason="the engine's packages are not here")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chunkformer")
    write_checkpoint(folder / "published")
    convert(folder / "published", folder / "model")
    return folder / "model"


def settings(path: Path | None, **more: Any) -> AsrSettings:
    chosen = ChunkformerSettings(model_path=path, **more)
    return AsrSettings(engine="chunkformer", chunkformer=chosen)


def start_error(chosen: AsrSettings) -> StageError:
    async def start() -> None:
        async with create(chosen):
            pass

    with pytest.raises(StageError) as caught:
        asyncio.run(start())
    assert caught.value.code is Code.FAILED_PRECONDITION
    return caught.value


@pytest.mark.skipif(installed(), reason="the engine's packages are here")
def test_without_its_packages_the_engine_says_how_to_install_them(tmp_path: Path) -> None:
    error = start_error(settings(tmp_path))
    assert error.reason == "ENGINE_NOT_INSTALLED"
    assert "torch" in error.message
    assert "docs/models.md" in error.message


def test_a_model_in_a_pickle_is_never_opened(tmp_path: Path) -> None:
    for name in ("config.yaml", "vocab.txt", "model.safetensors", "pytorch_model.pt"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(StageError) as caught:
        find_model(ChunkformerSettings(model_path=tmp_path))
    assert caught.value.reason == "MODEL_UNSAFE"


@pytest.mark.parametrize("path", [None, Path("/nowhere")])
def test_a_model_that_is_not_there_is_missing(path: Path | None) -> None:
    with pytest.raises(StageError) as caught:
        find_model(ChunkformerSettings(model_path=path))
    assert caught.value.reason == "MODEL_MISSING"


def test_the_defaults_are_those_of_the_requirements() -> None:
    chosen = ChunkformerSettings()
    assert (chosen.chunk_size, chosen.left_context_size, chosen.right_context_size) == (
        64,
        128,
        128,
    )
    assert chosen.total_batch_seconds == 14400


def test_the_librarys_times_are_read() -> None:
    assert seconds_of("00:00:00:080") == pytest.approx(0.08)
    assert seconds_of("15:59:59:999") == pytest.approx(57599.999)


@needs_packages
def test_a_published_checkpoint_is_converted_with_its_manifest(model: Path) -> None:
    assert set(verify_directory(model).files) == {
        *("config.yaml", "vocab.txt", "global_cmvn", "model.safetensors")
    }


@needs_packages
def test_a_weight_that_is_missing_stops_the_start(model: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(model, tmp_path / "model")
    weights = load_file(model / "model.safetensors")
    del weights["ctc.ctc_lo.bias"]
    save_file(weights, tmp_path / "model" / "model.safetensors")
    (tmp_path / "model" / "maie-manifest.json").unlink()
    assert start_error(settings(tmp_path / "model")).reason == "MODEL_CORRUPT"
    from maie_cli.models import trust

    trust(tmp_path / "model")
    error = start_error(settings(tmp_path / "model"))
    assert error.reason == "MODEL_CORRUPT"
    assert "ctc.ctc_lo.bias" in error.message


@needs_packages
async def test_a_long_recording_reads_the_same_in_small_batches(model: Path) -> None:
    once = read_audio(BUG_AND_BUDGET)
    samples = np.tile(np.concatenate([once, np.zeros(SAMPLE_RATE, np.int16)]), 12)
    speech = Speech(samples=samples, ranges=(SpeechRange(start=0, end=len(samples)),))
    found = []
    for seconds in (14400, 30):
        async with (
            create(settings(model, total_batch_seconds=seconds)) as engine,
            aclosing(engine.recognize(speech, RecognizeOptions())) as recognized,
        ):
            found.append([segment async for segment in recognized])
    assert found[0]
    assert [each.text for each in found[0]] == [each.text for each in found[1]]
