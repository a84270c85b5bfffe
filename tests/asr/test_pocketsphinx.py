"""The embedded engine on real recordings, and when its processes die."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pocketsphinx
import psutil
import pytest
import pytest_asyncio

from maie.asr.v1 import asr_pb2 as asr
from maie_asr.engine import SAMPLE_RATE, RecognizedSegment, RecognizeOptions, Speech, SpeechRange
from maie_asr.engines.pocketsphinx.decoder import MODEL_FILES, packaged_model
from maie_asr.engines.pocketsphinx.engine import PocketsphinxEngine, create
from maie_asr.settings import AsrSettings, PocketsphinxSettings
from maie_asr.stage import TranscribeStage, open_stage
from maie_asr.vad import VoiceActivity
from maie_core.errors import Code, StageError
from maie_runtime.blobs import Blobs
from tests.asr.recordings import BUG_AND_BUDGET, LIBRIVOX, STANDUP, read_audio, wav
from tests.asr.running import text_of, transcribe
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = [pytest.mark.unit, pytest.mark.asyncio(loop_scope="module")]

# What a decoder with an utterance in hand has used of a processor, of the seconds that it needs.
AT_WORK_SECONDS = 0.1


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def engine() -> AsyncIterator[PocketsphinxEngine]:
    async with create(AsrSettings()) as engine:
        yield engine


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TranscribeStage]:
    blobs = Blobs(f"file://{tmp_path_factory.mktemp('blobs')}")
    async with open_stage(AsrSettings(engine="pocketsphinx"), blobs) as stage:
        yield stage


def one_utterance(path: Path) -> Speech:
    """A whole recording as one interval of speech, which takes seconds to read."""
    samples = read_audio(path)
    return Speech(samples=samples, ranges=(SpeechRange(start=0, end=len(samples)),))


def short_speech() -> Speech:
    samples = read_audio(BUG_AND_BUDGET)
    return Speech(samples=samples, ranges=(SpeechRange(start=0, end=int(2.5 * SAMPLE_RATE)),))


async def segments(engine: PocketsphinxEngine, speech: Speech) -> list[RecognizedSegment]:
    async with aclosing(engine.recognize(speech, RecognizeOptions())) as recognized:
        return [segment async for segment in recognized]


async def read(engine: PocketsphinxEngine, speech: Speech) -> str:
    return " ".join([segment.text for segment in await segments(engine, speech)])


LONGEST, *OTHERS = sorted(LIBRIVOX, key=lambda path: -path.stat().st_size)


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", [pytest.param(LONGEST, marks=pytest.mark.slow), *OTHERS], ids=lambda path: path.stem
)
async def test_reads_the_same_as_the_library_called_directly(
    stage: TranscribeStage, blobs: Blobs, path: Path
) -> None:
    samples = read_audio(path)
    decoder = pocketsphinx.Decoder(samprate=SAMPLE_RATE, loglevel="FATAL")
    decoder.start_utt()
    decoder.process_raw(samples.tobytes(), full_utt=True)
    decoder.end_utt()
    request = asr.TranscribeRequest(audio_content=wav(samples))
    assert text_of(await transcribe(stage, request, blobs)) == decoder.hyp().hypstr


@pytest.mark.slow
async def test_nothing_of_an_utterance_is_left_for_the_next(engine: PocketsphinxEngine) -> None:
    samples = read_audio(STANDUP)
    first, second = (
        Speech(samples=samples, ranges=(span,)) for span in VoiceActivity(samples).find_speech()[:2]
    )
    fresh = await segments(engine, first)
    for _ in range(2):
        await segments(engine, second)
        assert await segments(engine, first) == fresh


async def test_cancelling_a_long_utterance_frees_the_only_decoder(
    engine: PocketsphinxEngine,
) -> None:
    task = asyncio.create_task(read(engine, one_utterance(STANDUP)))
    (decoder,) = await at_work()
    # Now it never ends by itself.
    decoder.suspend()
    task.cancel()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.wait([task])
        assert task.cancelled()
        assert await read(engine, short_speech()) == "i will fix the bug by friday"


async def test_a_decoder_that_dies_fails_its_unit_for_now_and_is_replaced(
    engine: PocketsphinxEngine,
) -> None:
    task = asyncio.create_task(read(engine, one_utterance(STANDUP)))
    await at_work()
    kill_decoders()
    with pytest.raises(StageError) as caught:
        await task
    assert (caught.value.code, caught.value.reason) == (Code.UNAVAILABLE, "DECODER_DIED")
    assert caught.value.retryable
    assert await read(engine, short_speech()) == "i will fix the bug by friday"


async def test_a_decoder_that_died_idle_is_replaced_unnoticed(engine: PocketsphinxEngine) -> None:
    await read(engine, short_speech())
    for process in kill_decoders():
        process.join()
    assert await read(engine, short_speech()) == "i will fix the bug by friday"


async def test_no_decoder_outlives_the_engine() -> None:
    before = set(multiprocessing.active_children())
    async with create(AsrSettings(slots=2)):
        started = set(multiprocessing.active_children()) - before
        assert len(started) == 2
    assert not any(process.is_alive() for process in started)


async def test_words_carry_no_confidence(engine: PocketsphinxEngine) -> None:
    [segment] = await segments(engine, short_speech())
    assert segment.confidence is None
    assert {word.confidence for word in segment.words} == {None}


async def test_a_missing_model_stops_the_start(tmp_path: Path) -> None:
    error = await start_error(PocketsphinxSettings(model_path=tmp_path))
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "MODEL_MISSING")
    assert str(tmp_path) in error.message


async def test_a_damaged_model_stops_the_start(tmp_path: Path) -> None:
    for name in MODEL_FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(packaged_model() / name)
    damaged = tmp_path / "en-us/mdef"
    content = damaged.read_bytes()
    damaged.unlink()
    damaged.write_bytes(content[:1000])
    error = await start_error(PocketsphinxSettings(model_path=tmp_path))
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "MODEL_CORRUPT")
    assert str(tmp_path) in error.message


async def test_another_model_than_expected_stops_the_start() -> None:
    expected = "0" * 64
    error = await start_error(PocketsphinxSettings(sha256=expected))
    assert error.reason == "MODEL_CORRUPT"
    assert expected in error.message


async def start_error(settings: PocketsphinxSettings) -> StageError:
    with pytest.raises(StageError) as caught:
        async with create(AsrSettings(pocketsphinx=settings)):
            pass
    return caught.value


def decoders() -> list[multiprocessing.process.BaseProcess]:
    return [each for each in multiprocessing.active_children() if each.name == "pocketsphinx"]


async def at_work() -> list[psutil.Process]:
    """The decoders that work, once one does; those of other fixtures are idle."""
    before = {process: _cpu_seconds(process) for process in map(_process, decoders())}
    assert before
    return await until(
        lambda: [
            process
            for process, used in before.items()
            if _cpu_seconds(process) > used + AT_WORK_SECONDS
        ]
    )


def _process(decoder: multiprocessing.process.BaseProcess) -> psutil.Process:
    return psutil.Process(decoder.pid)


def _cpu_seconds(process: psutil.Process) -> float:
    return sum(process.cpu_times()[:2])


def kill_decoders() -> list[multiprocessing.process.BaseProcess]:
    killed = decoders()
    assert killed
    for process in killed:
        process.kill()
    return killed
