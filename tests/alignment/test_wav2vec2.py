"""The engine `wav2vec2`: what it hears, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from maie_alignment.engine import SAMPLE_RATE
from maie_alignment.engines.wav2vec2.engine import create
from maie_alignment.settings import AlignmentSettings, Wav2Vec2Settings
from maie_core.errors import StageError
from maie_core.models import MANIFEST
from maie_core.reasons import Reason
from maie_runtime.gpu.devices import candidates
from tests.alignment.ctc_model import (
    LETTER_SECONDS,
    TOKENS,
    network,
    spoken,
    trust,
    write_model,
)
from tests.alignment.engine_cases import HAMA, needs_hama
from tests.alignment.readings import DASHWOOD, DASHWOOD_TEXT, ROOT, read_audio, words_of

pytestmark = pytest.mark.unit

NEAR_SECONDS = 0.1


def settings(folder: Path, **own: Any) -> AlignmentSettings:
    return AlignmentSettings(wav2vec2=Wav2Vec2Settings(model_path=folder, **own))


async def aligned(folder, samples, words, **own):
    async with create(settings(folder, **own)) as engine:
        return await engine.align(samples, words)


async def refusal(folder: Path, **own: object) -> StageError:
    with pytest.raises(StageError) as refused:
        async with create(settings(folder, **own)):
            pass
    return refused.value


async def test_letters_are_found_where_they_are(tmp_path):
    (first, second) = await aligned(write_model(tmp_path), spoken("go on"), ["go", "on"])
    starts = [letter.start for word in (first, second) for letter in word.letters]
    pause = 0.3
    expected = [pause + LETTER_SECONDS * place for place in (0, 1)]
    expected += [2 * pause + LETTER_SECONDS * place for place in (2, 3)]
    assert starts == pytest.approx(expected, abs=NEAR_SECONDS)
    assert second.start - first.end > pause / 2


async def test_a_letter_that_the_model_lacks_may_be_any_sound(tmp_path):
    (word,) = await aligned(write_model(tmp_path), spoken("mane"), ["maze"])
    assert not word.in_dictionary
    assert word.score > 0.5
    assert "".join(letter.text for letter in word.letters) == "maze"
    edges = [word.letters[0].start, word.letters[-1].start, word.end]
    # Where "z" itself begins nobody knows: "a" may be any sound, too.
    assert edges == pytest.approx([0.3 + LETTER_SECONDS * each for each in (0, 3, 4)], abs=0.1)


@needs_hama
async def test_real_words_are_found_where_another_recogniser_heard_them():
    sentences = json.loads((ROOT / "tests/data/readings/sentences.json").read_text("utf-8"))
    ends = next(each["word_ends"] for each in sentences if DASHWOOD.name in each["file"])
    found = await aligned(HAMA, read_audio(DASHWOOD), words_of(DASHWOOD_TEXT))
    near = [abs(word.end - end) < NEAR_SECONDS for word, end in zip(found, ends, strict=True)]
    assert sum(near) >= 0.8 * len(near)
    assert [phone.symbol for phone in found[2].phones] == ["JH", "AA", "N"]


@needs_hama
async def test_a_word_out_of_the_dictionary_is_guessed():
    words = ["dashwoodd" if word == "dashwood" else word for word in words_of(DASHWOOD_TEXT)]
    found = await aligned(HAMA, read_audio(DASHWOOD), words)
    assert [word.text for word in found if not word.in_dictionary] == ["dashwoodd"]


async def test_a_missing_model_says_how_to_get_it(tmp_path):
    error = await refusal(tmp_path)
    assert error.reason == Reason.MODEL_MISSING
    assert "maie models pull hama-phones-1.3" in error.message


@pytest.mark.parametrize("name", ["model.onnx", "vocab.json", "preprocessor_config.json"])
async def test_a_file_that_was_changed_is_refused(tmp_path, name):
    folder = write_model(tmp_path)
    with (folder / name).open("ab") as file:
        file.write(b" ")
    error = await refusal(folder)
    assert error.reason == Reason.MODEL_CORRUPT
    assert name in error.message


async def test_files_without_a_digest_are_refused(tmp_path):
    folder = write_model(tmp_path)
    (folder / MANIFEST).unlink()
    assert (await refusal(folder)).reason == Reason.MODEL_CORRUPT
    assert (await refusal(folder, sha256="0" * 64)).reason == Reason.MODEL_CORRUPT


async def test_a_pickle_is_refused(tmp_path):
    folder = write_model(tmp_path)
    (folder / "pytorch_model.bin").write_bytes(b"")
    assert (await refusal(folder)).reason == Reason.MODEL_UNSAFE


async def test_a_model_with_other_names_is_refused(tmp_path):
    folder = write_model(tmp_path)
    onnx.save(network(name="audio"), str(folder / "model.onnx"))
    error = await refusal(trust(folder))
    assert error.reason == Reason.MODEL_CORRUPT
    assert "audio" in error.message


async def test_a_vocabulary_of_another_model_is_refused(tmp_path):
    error = await refusal(write_model(tmp_path, (*TOKENS, "É")))
    assert error.reason == Reason.MODEL_CORRUPT
    assert str(len(TOKENS) + 1) in error.message


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"<pad>": "0"}', '{"<pad>": 0, "A": 2}', '{"A": 0, "B": 1}']
)
async def test_what_is_no_vocabulary_is_refused(tmp_path, content):
    folder = write_model(tmp_path)
    (folder / "vocab.json").write_text(content)
    assert (await refusal(trust(folder))).reason == Reason.MODEL_CORRUPT


async def test_a_model_of_another_rate_is_refused(tmp_path):
    folder = write_model(tmp_path)
    (folder / "preprocessor_config.json").write_text('{"sampling_rate": 8000}')
    error = await refusal(trust(folder))
    assert error.reason == Reason.MODEL_CORRUPT
    assert "8000" in error.message


async def test_a_model_of_sounds_without_one_of_them_is_refused(tmp_path):
    folder = write_model(tmp_path, (*TOKENS[:-1], "ə"))
    error = await refusal(folder)
    assert error.reason == Reason.MODEL_CORRUPT
    assert "SH" in error.message


async def test_a_device_that_is_not_there_is_refused(tmp_path):
    error = await refusal(write_model(tmp_path), device="mps")
    assert error.reason == Reason.DEVICE_UNAVAILABLE
    assert "MAIE_ALIGNMENT_WAV2VEC2_DEVICE" in error.message


@pytest.mark.parametrize(
    ("present", "expected"),
    [(("cpu", "mps", "cuda"), "cuda"), (("cpu", "mps"), "mps"), (("cpu",), "cpu")],
)
def test_any_device_is_the_fastest_that_is_there(present, expected):
    assert candidates("auto", present, "X")[0] == expected


async def test_samples_are_normalised_where_the_model_wants_it(tmp_path):
    folder = write_model(tmp_path)
    (folder / "preprocessor_config.json").write_text('{"do_normalize": true}')
    trust(folder)
    quiet = (spoken("go on") // 50).astype(np.int16)
    assert len(quiet) > SAMPLE_RATE
    words = await aligned(folder, quiet, ["go", "on"])
    assert min(word.score for word in words) > 0.5


@needs_hama
async def test_hama_hears_thirty_seconds_and_says_so():
    samples = np.resize(read_audio(DASHWOOD), 36 * SAMPLE_RATE)
    words = words_of(DASHWOOD_TEXT)
    async with create(settings(HAMA)) as engine:
        assert engine.max_seconds == 30
        assert await engine.align(samples[: 30 * SAMPLE_RATE], words)
        with pytest.raises(StageError) as refused:
            await engine.align(samples, words)
    assert refused.value.reason == Reason.MODEL_ANSWER_INVALID


async def test_what_is_no_number_is_refused(tmp_path):
    folder = write_model(tmp_path)
    made = network()
    (gain,) = (each for each in made.graph.initializer if each.name == "gain")
    gain.CopyFrom(onnx.numpy_helper.from_array(np.array(np.nan, np.float32), "gain"))
    onnx.save(made, str(folder / "model.onnx"))
    async with create(settings(trust(folder))) as engine:
        with pytest.raises(StageError) as refused:
            await engine.align(spoken("go on"), ["go", "on"])
    assert (refused.value.code.name, refused.value.reason) == ("INTERNAL", "MODEL_ANSWER_INVALID")


async def test_a_model_of_another_step_is_refused_by_its_answer(tmp_path):
    folder = write_model(tmp_path)
    made = network()
    (convolution,) = (each for each in made.graph.node if each.op_type == "Conv")
    (strides,) = (each for each in convolution.attribute if each.name == "strides")
    strides.ints[:] = [160]
    onnx.save(made, str(folder / "model.onnx"))
    async with create(settings(trust(folder))) as engine:
        with pytest.raises(StageError, match="frames") as refused:
            await engine.align(spoken("go on"), ["go", "on"])
    assert refused.value.reason == Reason.MODEL_ANSWER_INVALID
