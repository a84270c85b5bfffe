"""The engine whisper: the real faster-whisper on a tiny model, and models that are not well."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie_asr.engine import SAMPLE_RATE, SpeechRange
from maie_asr.settings import AsrSettings, WhisperSettings
from maie_asr.stage import TranscribeStage, open_stage
from maie_core.errors import Code, StageError
from maie_core.models import (
    MANIFEST,
    Manifest,
    checkpoint_sha256,
    file_sha256,
    write_manifest,
)
from maie_core.settings import MeshSettings
from maie_runtime.blobs import Blobs
from tests.asr.recordings import (
    BUG_AND_BUDGET,
    SCHEDULE,
    TINY_WHISPER,
    chunk_request,
    read_audio,
    store_plan,
    wav,
)
from tests.asr.running import text_of, transcribe

pytestmark = pytest.mark.unit

MODEL_FILES = (
    "config.json",
    "model.bin",
    "preprocessor_config.json",
    "tokenizer.json",
    "vocabulary.json",
)


@asynccontextmanager
async def whisper(blobs: Blobs, **settings: Any) -> AsyncIterator[TranscribeStage]:
    """The stage with the tiny model, which wants no text before it."""
    chosen = {
        "model_path": TINY_WHISPER,
        "cpu_threads": 1,
        "condition_on_previous_text": False,
        **settings,
    }
    wanted = AsrSettings(engine="whisper", whisper=WhisperSettings(**chosen))
    async with open_stage(wanted, blobs) as stage:
        yield stage


async def start_error(blobs: Blobs, **settings: Any) -> StageError:
    with pytest.raises(StageError) as caught:
        async with whisper(blobs, **settings):
            pass
    assert caught.value.code is Code.FAILED_PRECONDITION
    return caught.value


def request(path: Path, **options: Any) -> asr.TranscribeRequest:
    return asr.TranscribeRequest(
        audio_content=wav(read_audio(path)), options=asr.TranscribeOptions(**options)
    )


def parameters(transcript: common.Transcript) -> dict[str, str]:
    return dict(transcript.asr_engine.parameters)


async def test_writes_punctuation_and_casing_and_says_so(blobs: Blobs) -> None:
    async with whisper(blobs) as stage:
        transcript = await transcribe(stage, request(BUG_AND_BUDGET), blobs)
        facts = stage.facts(asr.TranscribeResponse(result=transcript))
    spoken = "I will fix the bug by Friday. The budget was approved last week."
    assert text_of(transcript) == spoken
    assert transcript.punctuated
    assert facts.punctuated
    assert all(0 < segment.confidence <= 1 for segment in transcript.segments)
    assert all(word.confidence > 0 for each in transcript.segments for word in each.words)


async def test_finds_the_language_by_itself(blobs: Blobs) -> None:
    async with whisper(blobs) as stage:
        transcript = await transcribe(stage, request(SCHEDULE), blobs)
    assert transcript.language_code == "en"
    assert parameters(transcript)["language"] == "null"


async def test_batches_the_windows_of_a_chunk(blobs: Blobs) -> None:
    async with whisper(blobs, batch_size=4) as stage:
        transcript = await transcribe(stage, request(BUG_AND_BUDGET), blobs)
    assert text_of(transcript) == "I will fix the bug by Friday. The budget was approved last week."
    assert parameters(transcript)["batch_size"] == "4"


async def test_options_of_a_request_come_before_settings(blobs: Blobs) -> None:
    async with whisper(blobs) as stage:
        asked = request(
            SCHEDULE,
            language_code="en-GB",
            hotwords=["schedule", "budget"],
            word_time_offsets=False,
        )
        transcript = await transcribe(stage, asked, blobs)
    assert text_of(transcript) == "The project is on schedule."
    assert not transcript.segments[0].words
    assert parameters(transcript)["language"] == '"en"'
    assert parameters(transcript)["hotwords"] == '"schedule, budget"'
    assert parameters(transcript)["word_timestamps"] == "false"


async def test_a_request_says_how_to_decode(blobs: Blobs) -> None:
    async with whisper(blobs) as stage:
        asked = request(
            BUG_AND_BUDGET,
            initial_prompt="Minutes of the meeting.",
            decoding={
                "beam_size": 2,
                "temperatures": [0.0, 0.4],
                "compression_ratio_threshold": 3.0,
                "log_prob_threshold": -2.0,
                "no_speech_threshold": 0.5,
                "condition_on_previous_text": True,
            },
            silence={
                "vad_filter": True,
                "min_silence": {"nanos": 300_000_000},
                "speech_pad": {"nanos": 200_000_000},
                "threshold": 0.25,
            },
        )
        found = parameters(await transcribe(stage, asked, blobs))
        after = parameters(await transcribe(stage, request(BUG_AND_BUDGET), blobs))
    assert found["initial_prompt"] == '"Minutes of the meeting."'
    assert found["beam_size"] == "2"
    assert found["temperature"] == "[0.0, 0.4]"
    assert found["compression_ratio_threshold"] == "3.0"
    assert found["log_prob_threshold"] == "-2.0"
    assert found["no_speech_threshold"] == "0.5"
    assert found["condition_on_previous_text"] == "true"
    assert json.loads(found["vad_parameters"]) == {
        "threshold": 0.25,
        "min_silence_duration_ms": 300,
        "speech_pad_ms": 200,
    }
    assert (after["beam_size"], after["initial_prompt"]) == ("5", "null")


async def test_thresholds_of_a_request_reach_the_decoder(blobs: Blobs) -> None:
    async with whisper(blobs) as stage:
        # Everything is silence and nothing is likely enough: no window has text.
        strict = request(
            BUG_AND_BUDGET, decoding={"no_speech_threshold": 0.0, "log_prob_threshold": 0.0}
        )
        assert not (await transcribe(stage, strict, blobs)).segments
        # Nothing passes at any temperature: what is likeliest of all remains.
        fallback = request(
            SCHEDULE, decoding={"compression_ratio_threshold": 1e-3, "temperatures": [0.0, 0.1]}
        )
        assert text_of(await transcribe(stage, fallback, blobs)) == "The project is on schedule."


async def test_the_vad_of_a_request_cuts_out_silence_or_not(blobs: Blobs) -> None:
    async with whisper(blobs, vad_filter=False) as stage:
        found = [
            parameters(await transcribe(stage, request(SCHEDULE, silence=silence), blobs))
            for silence in ({}, {"vad_filter": True})
        ]
    assert "vad_parameters" not in found[0]
    assert json.loads(found[1]["vad_parameters"])["speech_pad_ms"] == 400


async def test_translates_where_asked(blobs: Blobs) -> None:
    async with whisper(blobs) as stage:
        transcript = await transcribe(
            stage, request(SCHEDULE, task=asr.TRANSCRIBE_TASK_TRANSLATE), blobs
        )
    assert parameters(transcript)["task"] == '"translate"'
    assert (transcript.language_code, transcript.translated_from) == ("en", "en")
    assert text_of(transcript)


async def test_what_batches_do_not_heed_is_not_claimed_and_refused(blobs: Blobs) -> None:
    async with whisper(blobs, batch_size=4, temperature=(0.0, 0.2)) as stage:
        found = parameters(await transcribe(stage, request(SCHEDULE), blobs))
        assert found["temperature"] == "[0.0]"
        assert "log_prob_threshold" not in found
        cases: dict[str, dict[str, Any]] = {
            "options.decoding.log_prob_threshold": {"decoding": {"log_prob_threshold": -2.0}},
            "options.decoding.temperatures": {"decoding": {"temperatures": [0.0, 0.2]}},
            "options.silence.vad_filter": {"silence": {"vad_filter": False}},
        }
        for field, options in cases.items():
            with pytest.raises(StageError) as caught:
                await transcribe(stage, request(SCHEDULE, **options), blobs)
            assert caught.value.reason == "OPTION_NOT_SUPPORTED"
            assert caught.value.field == field


async def test_text_that_is_heard_stays_where_a_plan_has_nobody_speak(blobs: Blobs) -> None:
    samples = np.concatenate([read_audio(SCHEDULE), np.zeros(SAMPLE_RATE, np.int16)])
    elsewhere = SpeechRange(start=len(samples) - SAMPLE_RATE // 2, end=len(samples))
    plan = await store_plan(blobs, samples, [[elsewhere]])
    async with whisper(blobs, vad_filter=False) as stage:
        transcript = await transcribe(stage, chunk_request(plan, 0), blobs)
    assert text_of(transcript) == "The project is on schedule."
    assert not transcript.suspect_texts


async def test_a_segment_is_as_sure_as_its_words(blobs: Blobs) -> None:
    async with whisper(blobs) as stage:
        transcript = await transcribe(stage, request(BUG_AND_BUDGET), blobs)
        bare = await transcribe(stage, request(BUG_AND_BUDGET, word_time_offsets=False), blobs)
    sure = [segment.confidence for segment in transcript.segments]
    assert sure[0] != sure[1]
    for segment in transcript.segments:
        mean = sum(word.confidence for word in segment.words) / len(segment.words)
        assert segment.confidence == pytest.approx(mean, abs=1e-6)
    # Without words there is one figure for the window that both were read in.
    assert len({segment.confidence for segment in bare.segments}) == 1


async def test_defaults_are_those_that_lose_the_fewest_words() -> None:
    settings = WhisperSettings()
    assert settings.beam_size == 5
    assert settings.vad_filter
    assert settings.vad_threshold is None
    assert (settings.vad_min_silence_ms, settings.vad_speech_pad_ms) == (2000, 400)
    assert not settings.condition_on_previous_text


async def test_a_distil_model_never_sees_the_text_before(blobs: Blobs) -> None:
    async with whisper(blobs, variant="distil-large-v3", condition_on_previous_text=True) as stage:
        version = stage.models()[0].engine
    assert version.model_name == "distil-large-v3"
    assert version.parameters["condition_on_previous_text"] == "false"


async def test_a_request_cannot_show_a_distil_model_the_text_before(blobs: Blobs) -> None:
    async with whisper(blobs, variant="distil-large-v3") as stage:
        asked = request(SCHEDULE, decoding={"condition_on_previous_text": True})
        found = parameters(await transcribe(stage, asked, blobs))
    assert found["condition_on_previous_text"] == "false"


async def test_names_model_arithmetic_and_hash(blobs: Blobs) -> None:
    async with whisper(blobs) as stage:
        model = stage.models()[0]
    assert model.engine.model_name == "tiny-whisper"
    assert model.engine.compute_type.startswith("int8")
    assert model.engine.checkpoint_sha256 == checkpoint_sha256(TINY_WHISPER, MODEL_FILES)
    assert set(model.capabilities) == {
        "punctuation",
        "word_time_offsets",
        "hotwords",
        "language_detection",
        "translation",
        "decoding_options",
    }


async def test_the_expected_hash_lets_the_model_in(blobs: Blobs) -> None:
    async with whisper(blobs, sha256=checkpoint_sha256(TINY_WHISPER, MODEL_FILES)):
        pass


async def test_other_weights_than_expected_stop_the_start(blobs: Blobs) -> None:
    error = await start_error(blobs, sha256="0" * 64)
    assert error.reason == "MODEL_CORRUPT"
    assert checkpoint_sha256(TINY_WHISPER, MODEL_FILES) in error.message
    assert "0" * 64 in error.message


async def test_a_missing_model_stops_the_start_and_says_how_to_get_one(
    blobs: Blobs, tmp_path: Path
) -> None:
    error = await start_error(blobs, model_path=tmp_path / "nowhere")
    assert error.reason == "MODEL_MISSING"
    assert "`maie models pull whisper-base`" in error.message


async def test_the_default_model_is_found_where_models_are_pulled_to(
    blobs: Blobs, tmp_path: Path
) -> None:
    default = AsrSettings(mesh=MeshSettings(models_dir=tmp_path))
    assert default.engine == "whisper"
    with pytest.raises(StageError) as caught:
        async with open_stage(default, blobs):
            pass
    assert (caught.value.code, caught.value.reason) == (
        Code.FAILED_PRECONDITION,
        "MODEL_MISSING",
    )
    for part in (str(tmp_path / "whisper-base"), "`maie models pull whisper-base`"):
        assert part in caught.value.message
    (tmp_path / "whisper-base").symlink_to(TINY_WHISPER)
    async with open_stage(default, blobs) as stage:
        transcript = await transcribe(stage, request(SCHEDULE), blobs)
    assert transcript.asr_engine.model_path == str(tmp_path / "whisper-base")
    assert transcript.asr_engine.compute_type.startswith("int8")


@pytest.mark.parametrize("name", ["model.bin", "config.json", "tokenizer.json", "vocabulary.json"])
async def test_a_missing_file_stops_the_start(blobs: Blobs, tmp_path: Path, name: str) -> None:
    shutil.copytree(TINY_WHISPER, tmp_path / "model")
    (tmp_path / "model" / name).unlink()
    error = await start_error(blobs, model_path=tmp_path / "model")
    assert error.reason == "MODEL_MISSING"
    assert name in error.message


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json", "vocabulary.json"])
async def test_a_damaged_file_stops_the_start(blobs: Blobs, tmp_path: Path, name: str) -> None:
    shutil.copytree(TINY_WHISPER, tmp_path / "model")
    damaged = tmp_path / "model" / name
    was = file_sha256(damaged)
    damaged.write_bytes(damaged.read_bytes()[:20_000])
    error = await start_error(blobs, model_path=tmp_path / "model")
    assert error.reason == "MODEL_CORRUPT"
    for part in (str(tmp_path), name, was, file_sha256(damaged)):
        assert part in error.message


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("model.bin", "cut short: its header states 111 variables"),
        ("tokenizer.json", "cannot be loaded"),
        ("vocabulary.json", "cannot be loaded"),
    ],
)
async def test_a_file_that_was_damaged_before_it_was_hashed_stops_the_start(
    blobs: Blobs, tmp_path: Path, name: str, what: str
) -> None:
    shutil.copytree(TINY_WHISPER, tmp_path / "model")
    damaged = tmp_path / "model" / name
    damaged.write_bytes(damaged.read_bytes()[:20_000])
    hashes = {each: file_sha256(tmp_path / "model" / each) for each in MODEL_FILES}
    write_manifest(tmp_path / "model", Manifest(model="tiny-whisper", files=hashes))
    error = await start_error(blobs, model_path=tmp_path / "model")
    assert error.reason == "MODEL_CORRUPT"
    assert what in error.message


async def test_a_model_that_nothing_vouches_for_stops_the_start(
    blobs: Blobs, tmp_path: Path
) -> None:
    shutil.copytree(TINY_WHISPER, tmp_path / "model", ignore=shutil.ignore_patterns(MANIFEST))
    error = await start_error(blobs, model_path=tmp_path / "model")
    assert error.reason == "MODEL_CORRUPT"
    assert "maie models" in error.message


async def test_arithmetic_that_the_device_lacks_stops_the_start(blobs: Blobs) -> None:
    error = await start_error(blobs, compute_type="int8_float16")
    assert error.reason == "COMPUTE_TYPE_NOT_SUPPORTED"


async def test_a_gpu_that_is_not_there_stops_the_start(blobs: Blobs) -> None:
    error = await start_error(blobs, device="cuda", device_index=(64,))
    assert error.reason == "DEVICE_UNAVAILABLE"


async def test_batches_without_the_vad_are_refused() -> None:
    with pytest.raises(ValidationError):
        WhisperSettings(batch_size=8, vad_filter=False)
