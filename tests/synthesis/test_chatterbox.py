"""The engine `chatterbox` refuses what is wrong, ends what is asked to end, and keeps voices apart.

Its true weights cannot be had without a hub: tiny networks with their inputs and outputs speak.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from maie_core.errors import StageError
from maie_core.models import file_sha256
from maie_core.reasons import Reason
from maie_synthesis.engine import UnspeakableError
from maie_synthesis.engines.chatterbox import files as chatterbox_files
from maie_synthesis.engines.chatterbox import model as chatterbox_model
from maie_synthesis.engines.chatterbox.engine import create
from maie_synthesis.engines.chatterbox.files import GRAPHS, TOKENIZER, Precision, files
from maie_synthesis.engines.chatterbox.model import (
    REPETITION_PENALTY,
    SILENCES_AT_THE_END,
    START,
    STOP,
    likeliest,
)
from maie_synthesis.engines.chatterbox.pace import paced
from maie_synthesis.engines.chatterbox.voices import read_references
from maie_synthesis.engines.chatterbox.writing import MAX_CHARACTERS, MAX_WORDS, written
from maie_synthesis.settings import ChatterboxSettings, SynthesisSettings
from maie_synthesis.text.normaliser import pieces
from maie_synthesis.text.tokens import Piece
from tests.synthesis.chatterbox_model import (
    CODES_PER_TOKEN,
    SAMPLES_PER_CODE,
    give_besides,
    other_graph,
    save,
    trust,
    write_model,
    write_tokenizer,
    write_voice,
    write_voices,
)

pytestmark = pytest.mark.unit


def settings(folder: Path, **own: Any) -> SynthesisSettings:
    given = {"model_path": folder, "voices_path": folder / "voices", **own}
    return SynthesisSettings(slots=1, chatterbox=ChatterboxSettings(**given))


def model(folder: Path, precision: Precision = "fp32", *, ends: bool = True) -> Path:
    write_voices(folder / "voices")
    return write_model(folder, precision, ends=ends)


def piece(text: str) -> Piece:
    (found,) = pieces(text)
    return found


async def refusal(folder: Path, **own: Any) -> StageError:
    with pytest.raises(StageError) as raised:
        async with create(settings(folder, **own)):
            pass
    return raised.value


@pytest.mark.parametrize("precision", get_args(Precision))
async def test_a_text_is_as_long_as_its_tokens_in_every_precision(
    tmp_path: Path, precision: Precision
) -> None:
    async with create(settings(model(tmp_path, precision), precision=precision)) as engine:
        made = await engine.speak(piece("hello there, you"), "ann", 1.0)
        assert engine.version.compute_type == precision
    # Three words, the comma and the end.
    codes = 5 * CODES_PER_TOKEN + SILENCES_AT_THE_END
    assert len(made.samples) == codes * SAMPLES_PER_CODE


@pytest.mark.parametrize("name", files("q4", GRAPHS))
async def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path, name: str) -> None:
    (model(tmp_path, "q4") / name).unlink()
    error = await refusal(tmp_path, precision="q4")
    assert error.reason is Reason.MODEL_MISSING
    assert name in error.message
    assert "docs/speech.md" in error.message


@pytest.mark.parametrize("name", files("fp32", GRAPHS))
async def test_a_file_that_is_another_one_is_refused(tmp_path: Path, name: str) -> None:
    with (model(tmp_path) / name).open("ab") as file:
        file.write(b" ")
    assert (await refusal(tmp_path)).reason is Reason.MODEL_CORRUPT


async def test_a_folder_of_which_nobody_says_the_digest_is_refused(tmp_path: Path) -> None:
    (model(tmp_path) / "maie-manifest.json").unlink()
    assert (await refusal(tmp_path)).reason is Reason.MODEL_CORRUPT
    assert (await refusal(tmp_path, sha256="0" * 64)).reason is Reason.MODEL_CORRUPT


@pytest.mark.parametrize("name", [name for name in GRAPHS if name != "language_model"])
async def test_what_a_network_gives_besides_is_left_alone(tmp_path: Path, name: str) -> None:
    give_besides(model(tmp_path) / "onnx" / f"{name}.onnx")
    async with create(settings(trust(tmp_path))) as engine:
        assert (await engine.speak(piece("hello"), "ann", 1.0)).duration > 0


def other(name: str) -> Callable[[Path], Any]:
    return lambda folder: save(folder, name, other_graph(name))


def no_network(folder: Path) -> None:
    (folder / "onnx" / "embed_tokens.onnx").write_bytes(b"no network")


def no_tokenizer(folder: Path) -> None:
    (folder / TOKENIZER).write_text("{}", encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        *[(other(name), name) for name in GRAPHS],
        (no_network, "cannot read"),
        (no_tokenizer, "no tokenizer"),
        (lambda folder: write_tokenizer_of_nothing(folder / TOKENIZER), "no tokens"),
    ],
)
async def test_what_is_not_of_chatterbox_is_refused_though_it_is_trusted(
    tmp_path: Path, damage: Callable[[Path], Any], said: str
) -> None:
    damage(model(tmp_path))
    error = await refusal(trust(tmp_path))
    assert error.reason is Reason.MODEL_CORRUPT
    assert said in error.message


def write_tokenizer_of_nothing(path: Path) -> None:
    write_tokenizer(path)
    content = json.loads(path.read_text(encoding="utf-8"))
    content["model"] |= {"vocab": {"never": 0}, "unk_token": "never"}
    content["pre_tokenizer"] = None
    path.write_text(json.dumps(content), encoding="utf-8")


async def test_no_other_device_takes_the_place_of_the_one_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    error = await refusal(model(tmp_path), device="cuda")
    assert error.reason is Reason.DEVICE_UNAVAILABLE
    assert "MAIE_SYNTHESIS_CHATTERBOX_DEVICE" in error.message


async def test_without_the_extra_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chatterbox_files, "PACKAGE", "no-such-package")
    error = await refusal(model(tmp_path))
    assert error.reason is Reason.ENGINE_NOT_INSTALLED
    assert "maie-synthesis[chatterbox]" in error.message


async def test_results_name_the_recordings_that_voices_were_made_of(tmp_path: Path) -> None:
    async with create(settings(model(tmp_path))) as engine:
        digests = json.loads(engine.version.parameters["voices"])
        assert [voice.name for voice in engine.voices] == ["ann", "bob"]
    assert digests == {
        name: file_sha256(tmp_path / "voices" / f"{name}.wav") for name in ("ann", "bob")
    }


@pytest.mark.parametrize(
    ("seconds", "rate", "channels"), [(5.0, 24_000, 1), (30.0, 8_000, 1), (7.5, 44_100, 2)]
)
def test_a_recording_of_any_rate_is_read_whole(
    tmp_path: Path, seconds: float, rate: int, channels: int
) -> None:
    write_voice(tmp_path / "ann.wav", seconds=seconds, rate=rate, channels=channels)
    (found,) = read_references(tmp_path)
    assert len(found.samples) / 24_000 == pytest.approx(seconds, abs=0.002)
    assert np.abs(found.samples).max() == pytest.approx(0.3, abs=0.02)


def text_file(folder: Path) -> None:
    (folder / "ann.wav").write_text("no sound", encoding="utf-8")


def two_of_one_voice(folder: Path) -> None:
    write_voice(folder / "ann.wav")
    (folder / "ann.flac").write_bytes((folder / "ann.wav").read_bytes())


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda folder: write_voice(folder / "ann.wav", seconds=4.9), "4.9 s long"),
        (lambda folder: write_voice(folder / "ann.wav", seconds=30.1), "more than 30 s long"),
        (lambda folder: write_voice(folder / "ann.wav", seconds=600), "more than 30 s long"),
        (lambda folder: write_voice(folder / "ann.wav", seconds=0), "0.0 s long"),
        (lambda folder: write_voice(folder / "ann.wav", level=0), "Nobody speaks"),
        (lambda folder: write_voice(folder / "Ann Smith.wav"), "cannot have this name"),
        (text_file, "cannot be read as audio"),
        (two_of_one_voice, "Two files"),
        (lambda folder: write_voice(folder / "ann.mp3"), "no WAV or FLAC file"),
        (lambda folder: None, "no WAV or FLAC file"),
    ],
)
def test_a_recording_that_cannot_be_a_voice_is_named_with_the_remedy(
    tmp_path: Path, prepare: Callable[[Path], Any], said: str
) -> None:
    prepare(tmp_path)
    with pytest.raises(StageError) as raised:
        read_references(tmp_path)
    assert raised.value.reason is Reason.REFERENCE_VOICE_INVALID
    assert said in raised.value.message
    assert str(tmp_path) in raised.value.message


@pytest.mark.parametrize("given", ["unset", "nowhere"])
async def test_without_voices_it_is_said_where_they_belong(tmp_path: Path, given: str) -> None:
    path = None if given == "unset" else tmp_path / "nowhere"
    error = await refusal(model(tmp_path), voices_path=path)
    assert error.reason is Reason.REFERENCE_VOICE_INVALID
    assert "MAIE_SYNTHESIS_CHATTERBOX_VOICES_PATH" in error.message


async def test_speech_that_never_ends_is_not_cut_in_silence(tmp_path: Path) -> None:
    async with create(settings(model(tmp_path, ends=False))) as engine:
        with pytest.raises(UnspeakableError, match="did not come to an end") as raised:
            await engine.speak(piece("hello"), "ann", 1.0)
    assert not raised.value.too_slow


@pytest.fixture
def endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model that speaks until it is stopped. A thread that is not would be waited for."""
    monkeypatch.setattr(chatterbox_model, "MAX_SPEECH_TOKENS", 10**9)
    return model(tmp_path, ends=False)


async def test_a_text_that_takes_too_long_is_given_up(endless: Path) -> None:
    own = settings(endless).model_copy(update={"sentence_seconds": 0.2})
    async with create(own) as engine:
        with pytest.raises(UnspeakableError) as raised:
            await engine.speak(piece("hello"), "ann", 1.0)
    assert raised.value.too_slow


async def test_a_cancelled_call_stops_between_two_codes(endless: Path) -> None:
    async with create(settings(endless)) as engine:
        call = asyncio.create_task(engine.speak(piece("hello"), "ann", 1.0))
        await asyncio.sleep(0.2)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_a_long_number_is_spoken_in_parts(tmp_path: Path) -> None:
    digits = piece("7" * 280)
    texts = [*written(digits.tokens)]
    assert len(texts) > 3
    assert max(map(len, texts)) <= MAX_CHARACTERS + 1
    assert max(len(text.split()) for text in texts) <= MAX_WORDS
    async with create(settings(model(tmp_path))) as engine:
        made = await engine.speak(digits, "ann", 1.0)
    words = sum(len(text.rstrip(",.").split()) for text in texts)
    assert words == 280
    codes = CODES_PER_TOKEN * (words + len(texts)) + SILENCES_AT_THE_END * len(texts)
    assert len(made.samples) == codes * SAMPLES_PER_CODE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello", "Hello."),
        ("hello?", "Hello?"),
        ("I saw a UFO, didn't I", "I saw a U F O, didn't I."),
        ("A plan", "A plan."),
    ],
)
def test_words_are_written_as_sentences(text: str, expected: str) -> None:
    assert [*written(piece(text).tokens)] == [expected]


def scores(**given: float) -> Any:
    found = np.full(STOP + 3, -5.0, np.float32)
    for name, value in given.items():
        found[int(name[1:])] = value
    return found


def test_what_was_said_is_less_likely_again() -> None:
    given = scores(_10=2.0, _11=1.9)
    assert likeliest(given, [START]) == 10
    assert likeliest(given, [START, 10]) == 11
    # 2.0 and 1.9 are both said: the likelier one again.
    assert likeliest(given, [START, 10, 11]) == 10
    assert 2.0 / REPETITION_PENALTY < 1.9
    below = np.full(STOP + 1, -9.0, np.float32)
    below[10], below[11] = -2.0, -2.1
    assert likeliest(below, [START, 10]) == 11


def test_only_codes_and_the_end_are_said() -> None:
    beyond = f"_{STOP + 1}"
    assert likeliest(scores(**{f"_{START}": 9.0, beyond: 9.0, "_5": 1.0}), [START]) == 5
    assert likeliest(scores(**{f"_{STOP}": 9.0}), [START]) == STOP


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_a_failure(wrong: float) -> None:
    with pytest.raises(UnspeakableError, match="no numbers"):
        likeliest(scores(_7=wrong), [START])


@pytest.mark.parametrize("speed", [0.25, 0.3, 0.5, 0.9, 1.0, 1.7, 2.0, 3.1, 4.0])
def test_the_pace_changes_the_length_and_not_the_pitch(speed: float) -> None:
    time = np.arange(24_000 * 3) / 24_000
    tone = (8_000 * np.sin(2 * np.pi * 300 * time)).astype(np.int16)
    made = paced(tone, 24_000, speed)
    assert len(made) / len(tone) == pytest.approx(1 / speed, rel=0.05)
    spectrum = np.abs(np.fft.rfft(made * np.hanning(len(made))))
    assert spectrum.argmax() * 24_000 / len(made) == pytest.approx(300, abs=6)


def test_the_pace_of_almost_nothing_is_no_error() -> None:
    assert len(paced(np.zeros(3, np.int16), 24_000, 4.0)) <= 3
