"""What every engine promises, for every engine that is installed."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from maie_asr.engine import (
    Engine,
    RecognizedSegment,
    RecognizeOptions,
    Samples,
    Speech,
    SpeechRange,
)
from maie_asr.engines.chunkformer.convert import convert
from maie_asr.engines.chunkformer.model import require_packages
from maie_asr.settings import (
    ENGINES,
    AsrSettings,
    ChunkformerSettings,
    SherpaSettings,
    WhisperSettings,
)
from maie_asr.vad import VoiceActivity
from maie_cli.models import trust
from maie_core.errors import StageError
from maie_runtime.worker.engines import engine_names, load_engine
from tests.asr.chunkformer_model import write_checkpoint
from tests.asr.recordings import (
    BUG_AND_BUDGET,
    LIBRIVOX,
    SCHEDULE,
    TINY_WHISPER,
    read_audio,
    words_of,
)
from tests.models.sherpa.attention import write_canary, write_whisper
from tests.models.sherpa.ctc import write_nemo_ctc, write_sense_voice, write_zipformer_ctc
from tests.models.sherpa.k2 import write_k2, write_k2_streaming
from tests.models.sherpa.nemo import write_nemo, write_nemo_streaming
from tests.waiting import PATIENCE_SECONDS

# Importing torch and transformers for the first time takes a minute on a busy machine.
pytestmark = [
    pytest.mark.unit,
    pytest.mark.asyncio(loop_scope="module"),
]

ENGLISH = RecognizeOptions(language="en")


@dataclass(kw_only=True, frozen=True)
class EngineCase:
    """An engine and recordings that it reads well.

    Attributes:
        settings: Chooses the engine; two slots. Takes an empty folder for a model of the test's.
        recording: What it reads.
        text: What is said in it, as the engine reads it; None for a model that knows nothing.
        other: Another recording.
    """

    settings: Callable[[Path], AsrSettings]
    recording: Path = BUG_AND_BUDGET
    text: str | None = "i will fix the bug by friday the budget was approved last week"
    other: Path = SCHEDULE


def pocketsphinx_settings(_: Path) -> AsrSettings:
    return AsrSettings(engine="pocketsphinx", slots=2)


def whisper_settings(_: Path, **more: Any) -> AsrSettings:
    whisper = WhisperSettings(
        model_path=TINY_WHISPER, cpu_threads=1, condition_on_previous_text=False, **more
    )
    return AsrSettings(engine="whisper", slots=2, whisper=whisper)


def chunkformer_settings(folder: Path) -> AsrSettings:
    write_checkpoint(folder / "published")
    convert(folder / "published", folder / "model")
    chunkformer = ChunkformerSettings(model_path=folder / "model", language_code="en")
    return AsrSettings(engine="chunkformer", slots=2, chunkformer=chunkformer)


def sherpa_settings(
    folder: Path, write: Callable[[Path], None] = write_nemo, **more: Any
) -> AsrSettings:
    write(folder / "model")
    trust(folder / "model")
    sherpa = SherpaSettings(
        model_path=folder / "model", language_codes=("en",), cpu_threads=1, **more
    )
    return AsrSettings(engine="sherpa", slots=2, sherpa=sherpa)


def sherpa_case(write: Callable[[Path], None], **more: Any) -> EngineCase:
    return EngineCase(settings=partial(sherpa_settings, write=write, **more), text=None)


CASES = {
    "chunkformer": EngineCase(settings=chunkformer_settings, text=None),
    "pocketsphinx": EngineCase(settings=pocketsphinx_settings, other=LIBRIVOX[-1]),
    "sherpa, Canary": sherpa_case(write_canary),
    "sherpa, CTC of NeMo": sherpa_case(write_nemo_ctc),
    "sherpa, CTC of Zipformer": sherpa_case(write_zipformer_ctc),
    "sherpa, SenseVoice": sherpa_case(write_sense_voice),
    "sherpa, Whisper": sherpa_case(write_whisper),
    "sherpa, transducer of NeMo": sherpa_case(write_nemo),
    "sherpa, transducer with beams": sherpa_case(
        write_k2, decoding_method="modified_beam_search", window_seconds=3
    ),
    "sherpa, streaming transducer": sherpa_case(write_k2_streaming),
    "sherpa, streaming transducer of NeMo": sherpa_case(write_nemo_streaming),
    "whisper": EngineCase(settings=whisper_settings),
    "whisper, windows of a chunk together": EngineCase(
        settings=partial(whisper_settings, batch_size=4)
    ),
    "whisper, requests together": EngineCase(
        settings=partial(whisper_settings, cross_batch_size=4)
    ),
}


def runnable() -> list[Any]:
    """All cases but that of an engine whose packages are installed apart, where they are not.

    Pocketsphinx reads ten times slower than the others.
    """
    cases = set(CASES)
    try:
        require_packages()
    except StageError:
        cases.discard("chunkformer")
    quick = {"sherpa, CTC of Zipformer", "sherpa, streaming transducer", "whisper"}
    return [
        case if case in quick else pytest.param(case, marks=pytest.mark.slow)
        for case in sorted(cases)
    ]


@dataclass(kw_only=True, frozen=True)
class Loaded:
    """An engine that is ready, and its recordings.

    Attributes:
        segments: What it reads in the recording, before anything else.
    """

    case: EngineCase
    engine: Engine
    speech: Speech
    other: Speech
    segments: list[RecognizedSegment]


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=runnable())
async def loaded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Loaded]:
    case = CASES[request.param]
    settings = case.settings(tmp_path_factory.mktemp("engine"))
    async with load_engine(ENGINES, settings.engine)(settings) as engine:
        speech = speech_of(read_audio(case.recording))
        yield Loaded(
            case=case,
            engine=engine,
            speech=speech,
            other=speech_of(read_audio(case.other)),
            segments=await read(engine, speech),
        )


def speech_of(samples: Samples) -> Speech:
    return Speech(samples=samples, ranges=VoiceActivity(samples).find_speech())


async def read(
    engine: Engine, speech: Speech, options: RecognizeOptions = ENGLISH
) -> list[RecognizedSegment]:
    async with aclosing(engine.recognize(speech, options)) as recognized:
        return [segment async for segment in recognized]


async def test_every_installed_engine_is_tested() -> None:
    assert engine_names(ENGINES) == sorted({name.partition(",")[0] for name in CASES})


async def test_reads_what_is_said_in_order_and_within_the_audio(loaded: Loaded) -> None:
    segments = loaded.segments
    assert segments
    if loaded.case.text is not None:
        assert words_of(" ".join(each.text for each in segments)) == words_of(loaded.case.text)
    assert {segment.language for segment in segments} == {"en"}
    starts = [segment.start for segment in segments]
    assert starts == sorted(starts)
    assert all(0 <= each.start <= each.end <= loaded.speech.seconds for each in segments)


async def test_reads_the_same_after_its_weights_were_away(loaded: Loaded) -> None:
    weights = loaded.engine.weights
    if weights is None:
        return
    for move in (weights.unload, weights.unload, weights.load, weights.load):
        await move()
    assert await read(loaded.engine, loaded.speech) == loaded.segments


async def test_words_have_times_within_their_segment(loaded: Loaded) -> None:
    for segment in loaded.segments:
        if not loaded.engine.capabilities.word_times:
            assert not segment.words
            continue
        assert [word.text for word in segment.words] == segment.text.split()
        times = [time for word in segment.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert segment.start <= times[0] + 0.02
        assert times[-1] <= segment.end + 0.02


async def test_words_are_left_out_where_they_are_not_asked_for(loaded: Loaded) -> None:
    options = RecognizeOptions(language="en", word_times=False)
    segments = await read(loaded.engine, loaded.speech, options)
    assert segments
    assert not any(segment.words for segment in segments)


async def test_a_confidence_is_a_probability_or_unset(loaded: Loaded) -> None:
    for segment in loaded.segments:
        known = [segment.confidence, *(word.confidence for word in segment.words)]
        assert all(each is None or 0 < each <= 1 for each in known)


async def test_the_same_audio_reads_the_same_after_and_beside_other_audio(loaded: Loaded) -> None:
    after = await read(loaded.engine, loaded.other)
    beside, again = await asyncio.gather(
        read(loaded.engine, loaded.other), read(loaded.engine, loaded.speech)
    )
    assert again == loaded.segments
    assert beside == after


async def test_leaving_early_leaves_the_engine_usable(loaded: Loaded) -> None:
    for _ in range(3):
        async with (
            asyncio.timeout(PATIENCE_SECONDS),
            aclosing(loaded.engine.recognize(loaded.speech, ENGLISH)) as recognized,
        ):
            first = await anext(recognized)
    assert (await read(loaded.engine, loaded.speech))[0] == first


async def test_cancelling_leaves_the_engine_usable(loaded: Loaded) -> None:
    for delay in (0.0, 0.02, 0.1):
        task = asyncio.create_task(read(loaded.engine, loaded.speech))
        await asyncio.sleep(delay)
        task.cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.wait([task])
    assert await read(loaded.engine, loaded.speech) == loaded.segments


@pytest.mark.parametrize("length", [1, 160, 1600])
async def test_hardly_any_audio_harms_nothing(loaded: Loaded, length: int) -> None:
    samples = loaded.speech.samples[:length]
    await read(loaded.engine, Speech(samples=samples, ranges=(SpeechRange(start=0, end=length),)))
    assert await read(loaded.engine, loaded.speech) == loaded.segments


async def test_names_exactly_what_reads(loaded: Loaded) -> None:
    version = loaded.engine.version(ENGLISH)
    assert version.engine in engine_names(ENGINES)
    assert re.search(r" \d+\.\d+", version.library)
    assert version.model_name
    assert version.device == "cpu"
    assert re.fullmatch("[0-9a-f]{64}", version.checkpoint_sha256)
    assert version.parameters
    for value in version.parameters.values():
        json.loads(value)


async def test_describes_itself(loaded: Loaded) -> None:
    assert loaded.engine.description.endswith(".")
    assert "en" in loaded.engine.capabilities.language_codes
    assert loaded.engine.vram_bytes == 0
