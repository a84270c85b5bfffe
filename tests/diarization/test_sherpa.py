"""What sherpa-onnx finds in windows, and which models it gets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_diarization.clustering import Hints, identify
from maie_diarization.engine import SAMPLE_RATE, Turn
from maie_diarization.engines.sherpa.engine import SherpaEngine
from maie_diarization.engines.sherpa.models import ENCODER, SEGMENTATION, WINDOW, DescribedModel
from maie_diarization.engines.sherpa.segmentation import Segmenter
from tests.diarization.recordings import everything, part, reading, standup

pytestmark = pytest.mark.unit

MODELS = pytest.mark.parametrize("model", [SEGMENTATION, ENCODER], ids=lambda each: each.model.name)
SECONDS = WINDOW / SAMPLE_RATE


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter(1)


def who(speakers: list[tuple[Turn, ...]], second: float) -> list[int]:
    """The speakers at a time."""
    return [
        place
        for place, turns in enumerate(speakers)
        if any(turn.start <= second < turn.end for turn in turns)
    ]


def test_two_who_take_turns_are_two_speakers(segmenter: Segmenter) -> None:
    speakers = segmenter.turns(standup(), 6 * SAMPLE_RATE)

    assert len(speakers) == 2
    (first,), (second,) = (who(speakers, each) for each in (7.0, 10.3))
    assert first != second
    assert who(speakers, 9.0) == []


def test_times_are_those_of_the_chunk_wherever_the_window_is(segmenter: Segmenter) -> None:
    begins = [
        max(
            turn.start
            for turns in segmenter.turns(standup(), start * SAMPLE_RATE)
            for turn in turns
        )
        for start in (2, 6)
    ]

    assert begins == pytest.approx([4.96, 9.6], abs=0.2)


def test_who_speaks_at_an_edge_of_a_window_speaks_up_to_it(segmenter: Segmenter) -> None:
    start = 2 * SAMPLE_RATE
    (alone,) = segmenter.turns(part(standup(), 0, 3), start)
    several = segmenter.turns(standup(), start)

    assert alone == (Turn(start=2.0, end=3.0),)
    assert max(turns[-1].end for turns in several) == 2.0 + SECONDS


def test_silence_has_no_speaker(segmenter: Segmenter) -> None:
    assert segmenter.turns(np.zeros(WINDOW, np.int16), 0) == []


def test_one_real_voice_is_one_speaker_in_all_windows() -> None:
    engine = SherpaEngine.load()
    samples = part(reading(), 0, 14)

    voices = engine.listen(samples, everything(samples), lambda: None)

    assert len({voice.window for voice in voices}) > 1
    assert len(identify([voices], Hints(), engine.calibration, lambda: None).centroids) == 1


@MODELS
def test_a_model_says_what_sherpa_onnx_must_know(model: DescribedModel, tmp_path: Path) -> None:
    written = onnx.load(model.write(tmp_path))

    onnx.checker.check_model(written)
    assert {each.key: each.value for each in written.metadata_props} == model.metadata
    assert written.graph == onnx.load(model.model.path).graph


@MODELS
def test_another_file_is_refused(model: DescribedModel, tmp_path: Path) -> None:
    content = bytearray(model.model.path.read_bytes())
    content[len(content) // 2] ^= 1
    path = tmp_path / "damaged.onnx"
    path.write_bytes(content)

    with pytest.raises(StageError, match="install the package") as caught:
        replace(model, model=replace(model.model, path=path)).write(tmp_path)

    assert (caught.value.code, caught.value.reason) == (
        *(Code.FAILED_PRECONDITION, Reason.MODEL_CORRUPT),
    )


@MODELS
def test_a_missing_file_is_reported(model: DescribedModel, tmp_path: Path) -> None:
    with pytest.raises(StageError, match="cannot be read") as caught:
        replace(model, model=replace(model.model, path=tmp_path / "none.onnx")).write(tmp_path)

    assert caught.value.reason == Reason.MODEL_MISSING
