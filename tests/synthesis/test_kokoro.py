"""Kokoro's files are read strictly, and English is its phonemes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_synthesis.engine import UnspeakableError
from maie_synthesis.engines.kokoro.engine import MAX_PHONEMES, create
from maie_synthesis.engines.kokoro.model import FILES, MODEL, STYLE, VOCABULARY, VOICES
from maie_synthesis.engines.kokoro.phonemes import phonemes
from maie_synthesis.settings import KokoroSettings, SynthesisSettings
from maie_synthesis.text.normaliser import pieces
from tests.synthesis.kokoro_model import LEXICON, SAMPLES_PER_TOKEN, trust, write_model

pytestmark = pytest.mark.unit


def settings(folder: Path, **own: Any) -> SynthesisSettings:
    return SynthesisSettings(slots=1, kokoro=KokoroSettings(model_path=folder, **own))


async def refusal(folder: Path, **own: Any) -> StageError:
    with pytest.raises(StageError) as raised:
        async with create(settings(folder, **own)):
            pass
    return raised.value


@pytest.mark.parametrize("name", FILES)
async def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path, name: str) -> None:
    write_model(tmp_path)
    (tmp_path / name).unlink()
    error = await refusal(tmp_path)
    assert error.reason is Reason.MODEL_MISSING
    assert name in error.message
    assert "maie models pull kokoro-82m-int8" in error.message


@pytest.mark.parametrize("name", FILES)
async def test_a_file_that_is_another_one_is_refused(tmp_path: Path, name: str) -> None:
    write_model(tmp_path)
    with (tmp_path / name).open("ab") as file:
        file.write(b" ")
    assert (await refusal(tmp_path)).reason is Reason.MODEL_CORRUPT


async def test_a_folder_of_which_nobody_says_the_digest_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path)
    (tmp_path / "maie-manifest.json").unlink()
    assert (await refusal(tmp_path)).reason is Reason.MODEL_CORRUPT
    assert (await refusal(tmp_path, sha256="0" * 64)).reason is Reason.MODEL_CORRUPT


def other_input(folder: Path) -> None:
    write_model(folder, speed="pace_of_speech")


def no_network(folder: Path) -> None:
    (folder / MODEL).write_bytes(b"no network")


def voices(**styles: Any) -> Callable[[Path], Any]:
    return lambda folder: np.savez(folder / VOICES, **styles)


def vocabulary(content: Any) -> Callable[[Path], Any]:
    return lambda folder: (folder / VOCABULARY).write_text(json.dumps(content))


def gold(content: Any) -> Callable[[Path], Any]:
    return lambda folder: (folder / "us_gold.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (other_input, "pace_of_speech"),
        (no_network, "cannot read"),
        (voices(), "no voice"),
        (voices(ann=np.zeros((10, 1, STYLE + 1), np.float32)), "ann"),
        (voices(ann=np.zeros((10, 1, STYLE), np.float64)), "float64"),
        (voices(ann=np.full((10, 1, STYLE), np.nan, np.float32)), "no number"),
        (voices(ann=np.array([{"a": 1}], object)), "no archive of arrays"),
        (lambda folder: (folder / VOICES).write_bytes(b"no archive"), "no archive"),
        (vocabulary({}), "vocab"),
        (vocabulary({"vocab": {"ab": 1}}), "vocab"),
        (vocabulary({"vocab": {"a": 1}}), "lacks"),
        (gold([]), "no object"),
        (gold({"hello": "hˈəlO"}), "letters"),
    ],
)
async def test_what_is_not_of_kokoro_is_refused_though_it_is_trusted(
    tmp_path: Path, damage: Callable[[Path], Any], said: str
) -> None:
    write_model(tmp_path)
    damage(tmp_path)
    error = await refusal(trust(tmp_path))
    assert error.reason is Reason.MODEL_CORRUPT
    assert said in error.message


async def test_no_other_device_takes_the_place_of_the_one_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    error = await refusal(write_model(tmp_path), device="cuda")
    assert error.reason is Reason.DEVICE_UNAVAILABLE


async def test_what_the_network_cannot_take_at_once_is_spoken_in_parts(tmp_path: Path) -> None:
    (piece,) = pieces("7" * 280)
    signs = sum(len(each) + 1 for each in phonemes(piece.tokens, letters()))
    assert signs > 2 * MAX_PHONEMES
    async with create(settings(write_model(tmp_path))) as engine:
        made = await engine.speak(piece, "ann", 1.0)
    # Each part has a silence at both ends.
    assert len(made.samples) / SAMPLES_PER_TOKEN == pytest.approx(signs, rel=0.02)


async def test_a_text_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    own = settings(write_model(tmp_path)).model_copy(update={"sentence_seconds": 1e-9})
    (piece,) = pieces("hello")
    async with create(own) as engine:
        with pytest.raises(UnspeakableError) as raised:
            await engine.speak(piece, "ann", 1.0)
    assert raised.value.too_slow


def letters() -> dict[str, str]:
    return {word: said for word, said in LEXICON.items() if isinstance(said, str)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello!", "hˈəlO!"),
        ("the box, the office", "ðə bˈɑks, ði ˈɔfəs"),
        ("boxes walked walking walks", "bˈɑksᵻz wˈɔkt wˈɔkɪŋ wˈɔks"),
        ("to walk a box to", "tə wˈɔk ɐ bˈɑks tʊ"),
        ("boxoffice", "bˈɑksˌɔfəs"),
        ("zq", "zi qi"),
        ("USA", "ui si ai"),
    ],
)
def test_words_are_phonemes(text: str, expected: str) -> None:
    (piece,) = pieces(text)
    assert " ".join(phonemes(piece.tokens, letters())) == expected
