"""The engine sherpa: which models it takes, what it refuses, and what it makes of options."""

from __future__ import annotations

import asyncio
import inspect
import json
import shutil
from collections.abc import Callable
from contextlib import aclosing
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import sherpa_onnx

from maie_asr.engine import SAMPLE_RATE, RecognizedSegment, RecognizeOptions, Speech, SpeechRange
from maie_asr.engines.sherpa.engine import SherpaEngine, create
from maie_asr.engines.sherpa.families import FAMILIES, Family
from maie_asr.engines.sherpa.languages import ask, language_codes
from maie_asr.engines.sherpa.model import find_model
from maie_asr.engines.sherpa.recognizer import recognizer_call
from maie_asr.settings import AsrSettings, SherpaSettings
from maie_cli.models import trust
from maie_core.errors import Code, StageError
from tests.asr.recordings import BUG_AND_BUDGET, read_audio
from tests.models.sherpa.attention import write_canary, write_whisper
from tests.models.sherpa.ctc import HEARD, write_sense_voice
from tests.models.sherpa.k2 import write_k2
from tests.models.sherpa.nemo import write_nemo, write_nemo_streaming
from tests.models.sherpa.published import FILES, WRITERS, write_model

pytestmark = pytest.mark.unit

ENGLISH = RecognizeOptions(language="en")
BEAMS = "modified_beam_search"


def settings(folder: Path | None, **more: Any) -> AsrSettings:
    chosen = {"language_codes": ("en",), "cpu_threads": 1, **more}
    return AsrSettings(engine="sherpa", sherpa=SherpaSettings(model_path=folder, **chosen))


def start_error(folder: Path | None, **more: Any) -> StageError:
    async def start() -> None:
        async with create(settings(folder, **more)):
            pass

    with pytest.raises(StageError) as caught:
        asyncio.run(start())
    assert caught.value.code is Code.FAILED_PRECONDITION
    return caught.value


def speech(samples: Any, *ranges: tuple[int, int]) -> Speech:
    found = ranges or ((0, len(samples)),)
    spans = tuple(SpeechRange(start=start, end=end) for start, end in found)
    return Speech(samples=samples, ranges=spans)


async def read(
    engine: SherpaEngine, given: Speech, options: RecognizeOptions = ENGLISH
) -> list[RecognizedSegment]:
    async with aclosing(engine.recognize(given, options)) as recognized:
        return [segment async for segment in recognized]


def test_every_family_has_a_model_here() -> None:
    assert {each.name for each in FAMILIES} == WRITERS.keys() | FILES.keys()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda each: each.name)
def test_a_model_is_known_by_its_files(family: Family, tmp_path: Path) -> None:
    model = find_model(settings(write_model(tmp_path / "model", family.name)).sherpa)
    assert model.family is family
    for argument, file in model.files.items():
        assert fnmatchcase(file.name, family.files[argument])
        assert ".int8." in file.name or not list(file.parent.glob(f"{file.stem}.int8.*"))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda each: each.name)
def test_the_library_has_the_constructor_with_these_arguments(
    family: Family, tmp_path: Path
) -> None:
    write_model(tmp_path / "model", family.name)
    method = BEAMS if family.beams else "greedy_search"
    chosen = settings(tmp_path / "model", decoding_method=method).sherpa
    call = recognizer_call(find_model(chosen), chosen, 1)
    kind = sherpa_onnx.OnlineRecognizer if call.streaming else sherpa_onnx.OfflineRecognizer
    inspect.signature(getattr(kind, call.constructor)).bind(**call.arguments)


@pytest.mark.parametrize("path", [None, Path("/nowhere")])
def test_a_model_that_is_not_there_is_missing(path: Path | None) -> None:
    assert start_error(path).reason == "MODEL_MISSING"


def test_files_of_no_family_are_no_model(tmp_path: Path) -> None:
    (tmp_path / "readme").write_text("")
    error = start_error(tmp_path)
    assert error.reason == "MODEL_MISSING"
    assert "MAIE_ASR_SHERPA_FAMILY" in error.message


def test_a_named_family_says_which_files_it_lacks(tmp_path: Path) -> None:
    write_k2(tmp_path / "model")
    error = start_error(tmp_path / "model", family="sense-voice")
    assert error.reason == "MODEL_MISSING"
    assert "model*.onnx" in error.message


def test_an_unknown_family_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    error = start_error(tmp_path, family="parakeet")
    assert error.reason == "MODEL_SETTINGS_INVALID"
    assert "nemo-transducer" in error.message


def test_two_encoders_leave_no_choice(tmp_path: Path) -> None:
    write_k2(tmp_path / "model")
    encoder = tmp_path / "model" / "encoder-epoch-99-avg-1.onnx"
    shutil.copyfile(encoder, encoder.with_name("encoder-epoch-20-avg-1.onnx"))
    error = start_error(tmp_path / "model")
    assert error.reason == "MODEL_CORRUPT"
    assert "encoder-epoch-20-avg-1.onnx" in error.message


def test_a_model_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    write_k2(tmp_path / "model")
    assert start_error(tmp_path / "model").reason == "MODEL_CORRUPT"


@pytest.mark.parametrize("name", ["joiner-epoch-99-avg-1.onnx", "tokens.txt", "bpe.vocab"])
def test_a_file_that_was_changed_is_named(name: str, tmp_path: Path) -> None:
    write_k2(tmp_path / "model")
    trust(tmp_path / "model")
    with (tmp_path / "model" / name).open("ab") as file:
        file.write(b" ")
    error = start_error(tmp_path / "model")
    assert error.reason == "MODEL_CORRUPT"
    assert name in error.message


def test_a_model_that_would_end_the_process_is_only_refused(tmp_path: Path) -> None:
    write_k2(tmp_path / "model")
    decoder = tmp_path / "model" / "decoder-epoch-99-avg-1.onnx"
    model = onnx.load(decoder)
    del model.metadata_props[:]
    onnx.save(model, decoder)
    trust(tmp_path / "model")
    error = start_error(tmp_path / "model")
    assert error.reason == "MODEL_CORRUPT"
    assert "'vocab_size' does not exist in the metadata" in error.message


def test_a_wrong_family_is_refused(tmp_path: Path) -> None:
    write_k2(tmp_path / "model")
    trust(tmp_path / "model")
    assert start_error(tmp_path / "model", family="nemo-transducer").reason == "MODEL_CORRUPT"


def test_a_model_that_names_no_languages_needs_the_setting(tmp_path: Path) -> None:
    write_k2(tmp_path / "model")
    error = start_error(tmp_path / "model", language_codes=())
    assert error.reason == "MODEL_SETTINGS_INVALID"
    assert "MAIE_ASR_SHERPA_LANGUAGE_CODES" in error.message


def test_a_language_that_the_model_does_not_read_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path / "model", "canary")
    error = start_error(tmp_path / "model", language_codes=("en", "vi"))
    assert error.reason == "MODEL_SETTINGS_INVALID"
    assert "vi" in error.message


@pytest.mark.parametrize(
    ("family", "codes"),
    [("whisper", ("de", "en")), ("sense-voice", ("en", "ja", "ko", "yue", "zh"))],
)
def test_models_that_know_their_languages_need_no_setting(
    family: str, codes: tuple[str, ...], tmp_path: Path
) -> None:
    chosen = settings(write_model(tmp_path / "model", family), language_codes=()).sherpa
    assert language_codes(find_model(chosen), chosen) == codes


@pytest.mark.parametrize("write", [write_canary, write_whisper])
async def test_each_request_is_read_in_its_own_language(
    write: Callable[[Path], None], tmp_path: Path
) -> None:
    write(tmp_path / "model")
    trust(tmp_path / "model")
    given = speech(read_audio(BUG_AND_BUDGET))
    german = RecognizeOptions(language="de")
    translated = RecognizeOptions(language="de", translate=True)
    async with create(settings(tmp_path / "model", language_codes=())) as engine:
        assert engine.capabilities.translates
        options = (ENGLISH, german, translated)
        alone = [await read(engine, given, each) for each in options]
        together = await asyncio.gather(*(read(engine, given, each) for each in options))
    assert len({segments[0].text for segments in alone}) == len(options)
    assert [segments[0].language for segments in alone] == ["en", "de", "de"]
    assert together == alone


async def test_a_model_that_detects_the_language_says_which(tmp_path: Path) -> None:
    write_sense_voice(tmp_path / "model")
    trust(tmp_path / "model")
    given = speech(read_audio(BUG_AND_BUDGET))
    for codes, spoken in (((), HEARD.strip("<|>")), (("yue",), "yue")):
        async with create(settings(tmp_path / "model", language_codes=codes)) as engine:
            assert engine.capabilities.detects_language == (not codes)
            segments = await read(engine, given, RecognizeOptions())
        assert {each.language for each in segments} == {spoken}
        assert not any("<|" in each.text for each in segments)


async def test_a_whisper_that_is_given_no_language_detects_one(tmp_path: Path) -> None:
    write_whisper(tmp_path / "model")
    trust(tmp_path / "model")
    given = speech(read_audio(BUG_AND_BUDGET))
    async with create(settings(tmp_path / "model", language_codes=())) as engine:
        (found,) = await read(engine, given, RecognizeOptions())
        named = RecognizeOptions(language=found.language)
        assert await read(engine, given, named) == [found]


def test_a_model_that_has_to_know_the_language_asks_for_it(tmp_path: Path) -> None:
    model = find_model(settings(write_model(tmp_path / "model", "canary")).sherpa)
    with pytest.raises(StageError) as caught:
        ask(model, None, None, RecognizeOptions())
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.reason == "LANGUAGE_NOT_SUPPORTED"
    assert "de, en, es, fr" in caught.value.message


def test_a_family_without_beam_search_refuses_it(tmp_path: Path) -> None:
    write_nemo_streaming(tmp_path / "model")
    error = start_error(tmp_path / "model", decoding_method=BEAMS)
    assert error.reason == "MODEL_SETTINGS_INVALID"
    assert "MAIE_ASR_SHERPA_DECODING_METHOD" in error.message


@pytest.mark.parametrize("write", [write_nemo, write_k2])
async def test_hotwords_change_what_is_read(write: Callable[[Path], None], tmp_path: Path) -> None:
    write(tmp_path / "model")
    trust(tmp_path / "model")
    given = speech(read_audio(BUG_AND_BUDGET))
    hotwords = RecognizeOptions(language="en", hotwords=("budget fixing",))
    async with create(settings(tmp_path / "model", decoding_method=BEAMS)) as engine:
        assert engine.capabilities.hotwords
        plain = await read(engine, given)
        assert await read(engine, given, hotwords) != plain
        # What the library takes for signs of its own, and cannot take apart, harms nothing.
        odd = RecognizeOptions(language="en", hotwords=(":x", "#y", "@", "/", "日本"))
        assert await read(engine, given, odd)
        assert await read(engine, given) == plain
    async with create(settings(tmp_path / "model")) as engine:
        assert not engine.capabilities.hotwords
        assert await read(engine, given, hotwords) == await read(engine, given)


async def test_speech_is_read_in_windows_with_a_segment_for_each_range(tmp_path: Path) -> None:
    write_k2(tmp_path / "model")
    trust(tmp_path / "model")
    once = read_audio(BUG_AND_BUDGET)
    pause = np.zeros(3 * SAMPLE_RATE, np.int16)
    samples = np.concatenate([once, pause, once])
    later = len(once) + len(pause)
    given = speech(samples, (0, 40_000), (45_000, len(once)), (later, len(samples)))
    async with create(settings(tmp_path / "model")) as engine:
        first, second, third = await read(engine, given)
        # Nothing is carried over from one window to the next.
        (alone,) = await read(engine, speech(once))
    assert first.start == 0
    assert second.start == pytest.approx(45_000 / SAMPLE_RATE, abs=0.2)
    assert third.text == alone.text
    assert third.start == later / SAMPLE_RATE
    assert third.end <= given.seconds


async def test_a_version_has_all_that_a_text_depends_on(tmp_path: Path) -> None:
    write_k2(tmp_path / "model")
    trust(tmp_path / "model")
    chosen = settings(tmp_path / "model", decoding_method=BEAMS, blank_penalty=0.5)
    async with create(chosen) as engine:
        version = engine.version(ENGLISH)
    assert version.library == "sherpa-onnx 2.0.1"
    assert {name: json.loads(value) for name, value in version.parameters.items()} == {
        "blank_penalty": 0.5,
        "decoding_method": BEAMS,
        "family": "transducer",
        "files": [
            "decoder-epoch-99-avg-1.onnx",
            "encoder-epoch-99-avg-1.onnx",
            "joiner-epoch-99-avg-1.onnx",
            "tokens.txt",
        ],
        "hotwords_score": 1.5,
        "max_active_paths": 4,
        "max_pause_seconds": 2.0,
        "model_type": "transducer",
        "modeling_unit": "bpe",
        "num_threads": 1,
        "window_seconds": 20.0,
    }
