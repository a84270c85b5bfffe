"""The model that finds speech: verified, and blind to how a recording is divided."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from maie_core.errors import Code, StageError
from maie_preprocess.engines.silero import create
from maie_preprocess.settings import PreprocessSettings
from maie_preprocess.stage import open_stage
from maie_speech.frames import FRAME_SAMPLES
from maie_speech.silero import SHIPPED_MODEL
from tests.preprocess import recordings

pytestmark = pytest.mark.unit


async def test_windows_leave_no_seams(settings: PreprocessSettings) -> None:
    sound = recordings.speech(20).tobytes()
    async with create(settings) as engine:
        whole = await engine.track().feed(sound)
        for frames in (1, 7, 300):
            track = engine.track()
            size = frames * FRAME_SAMPLES * 2
            if frames == 1:
                sound, whole = sound[: 100 * size], whole[:100]
            parts = [
                value
                for start in range(0, len(sound), size)
                for value in await track.feed(sound[start : start + size])
            ]
            assert parts == pytest.approx(whole, abs=1e-5)


async def test_recordings_know_nothing_of_each_other(settings: PreprocessSettings) -> None:
    sound = recordings.speech(5).tobytes()
    async with create(settings) as engine:
        first, other, second = engine.track(), engine.track(), engine.track()
        alone = await first.feed(sound)
        await other.feed(sound[::-1])
        assert await second.feed(sound) == alone


async def test_a_model_that_is_missing_stops_the_service(tmp_path: Path) -> None:
    settings = PreprocessSettings(vad_model=tmp_path / "none.onnx")
    with pytest.raises(StageError, match=r"none\.onnx") as caught:
        async with open_stage(settings):
            pass
    assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "MODEL_MISSING")


async def test_a_model_that_was_changed_stops_the_service_naming_both_hashes(
    tmp_path: Path,
) -> None:
    path = tmp_path / "swapped.onnx"
    path.write_bytes(b"not a model")
    found = hashlib.sha256(b"not a model").hexdigest()
    expected = PreprocessSettings().vad_model_sha256
    with pytest.raises(StageError, match=f"{found}, not {expected}") as caught:
        async with open_stage(PreprocessSettings(vad_model=path)):
            pass
    assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "MODEL_CORRUPT")


async def test_a_file_that_is_no_model_stops_the_service_even_unverified(tmp_path: Path) -> None:
    path = tmp_path / "swapped.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(StageError, match="cannot load"):
        async with open_stage(PreprocessSettings(vad_model=path, vad_model_sha256="")):
            pass


async def test_the_shipped_model_is_named_with_its_hash(settings: PreprocessSettings) -> None:
    async with open_stage(settings) as stage:
        (model,) = stage.models()
    assert model.engine.checkpoint_sha256 == hashlib.sha256(SHIPPED_MODEL.read_bytes()).hexdigest()
    assert model.engine.parameters["min_silence_ms"] == "500"
    assert model.engine.model_path == ""
