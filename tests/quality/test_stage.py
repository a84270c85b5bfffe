"""The quality stage as its callers see it, with the engine that ships with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from maie.common.v1 import types_pb2 as common
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie.quality.v1 import quality_pb2 as quality
from maie_core.durations import duration, seconds
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_quality.engines.distillmos import DistillMosEngine
from maie_quality.settings import QualitySettings
from maie_quality.stage import AssessStage, open_stage
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext
from maie_speech.frames import SAMPLE_RATE
from maie_speech.speech import Samples
from tests.asr.recordings import read_audio, wav

pytestmark = pytest.mark.unit

READING = Path(__file__).parents[2] / "samples" / "reading.flac"


@pytest.fixture
def context(tmp_path: Path) -> StageContext:
    return StageContext(
        job_id="job", unit="direct", attempt=1, blobs=Blobs(tmp_path.as_uri()), folder="jobs/test"
    )


@pytest_asyncio.fixture
async def stage(context: StageContext) -> AsyncIterator[AssessStage]:
    async with open_stage(QualitySettings(), context.blobs) as stage:
        yield stage


@pytest.fixture(scope="module")
def reading() -> Samples:
    return read_audio(READING)[: 20 * SAMPLE_RATE]


async def result(
    stage: AssessStage, request: quality.AssessRequest, context: StageContext
) -> quality.AssessResponse:
    async with aclosing(stage.run(request, context)) as run:
        return [response async for response in run][-1]


async def measured(
    stage: AssessStage, samples: Samples, context: StageContext, *spoken: tuple[float, float]
) -> quality.Measures:
    """The measures of a chunk that begins a minute into its recording."""
    speech = [
        common.TimeRange(start_offset=duration(60 + start), end_offset=duration(60 + end))
        for start, end in spoken
    ]
    length = len(samples) / SAMPLE_RATE
    chunk = preprocess.Chunk(
        index=1,
        range=common.TimeRange(start_offset=duration(60), end_offset=duration(60 + length)),
        speech=speech,
        audio=await context.blobs.put("jobs/test/audio", wav(samples)),
        channel=2,
    )
    return (await result(stage, quality.AssessRequest(speech_chunk=chunk), context)).measures


async def test_a_chunk_is_measured_and_a_report_made_of_it(
    stage: AssessStage, reading: Samples, context: StageContext
) -> None:
    measures = await measured(stage, reading, context, (0, 20))
    assert [seconds(each.range.start_offset) for each in measures.windows] == [60, 65, 70]
    assert {each.channel for each in measures.windows} == {2}
    assert seconds(measures.speech_duration) == pytest.approx(20, abs=0.02)
    part = await context.blobs.put_message("jobs/test/measures", measures)
    received = preprocess.PreprocessResult(quality=preprocess.AudioQuality(vad_coverage=1.0))
    whole = await context.blobs.put_message("jobs/test/plan", received)
    source = quality.MeasuresSource(parts=[part], preprocessed=whole)
    report = (await result(stage, quality.AssessRequest(measures=source), context)).report
    assert 2.5 < report.overall.mean < 4
    assert report.engine.engine == "dnsmos"
    assert len(report.engine.checkpoint_sha256) == 64
    assert not report.warnings


async def test_windows_in_which_nobody_speaks_are_not_rated(
    stage: AssessStage, reading: Samples, context: StageContext
) -> None:
    quiet = np.zeros(40 * SAMPLE_RATE, np.int16)
    quiet[: 5 * SAMPLE_RATE] = reading[: 5 * SAMPLE_RATE]
    measures = await measured(stage, quiet, context, (0, 4.5))
    assert [seconds(each.range.start_offset) for each in measures.windows] == [60]
    silent = await measured(stage, quiet, context)
    assert not silent.windows


async def test_audio_in_the_request_gets_a_report(
    stage: AssessStage, reading: Samples, context: StageContext
) -> None:
    request = quality.AssessRequest(audio_content=wav(reading))
    report = (await result(stage, request, context)).report
    assert 2.5 < report.overall.mean < 4
    assert report.silence_share == 0
    assert report.peak_dbfs < 0


async def test_an_engine_may_rate_the_whole_sound_alone(
    reading: Samples, context: StageContext
) -> None:
    with ThreadPoolExecutor(1) as executor:
        stage = AssessStage(DistillMosEngine.load(), executor, step=5.0)
        measures = await measured(stage, reading, context, (0, 20))
        request = quality.AssessRequest(audio_content=wav(reading))
        report = (await result(stage, request, context)).report
    assert [seconds(each.range.start_offset) for each in measures.windows] == [60, 65, 70]
    assert 3.5 < report.overall.mean < 5
    assert report.engine.engine == "distillmos"
    for name in ("speech", "background", "crowd"):
        assert not report.HasField(name)
        assert not any(each.opinion.HasField(name) for each in report.windows)
    assert not report.warnings


async def test_noise_over_speech_is_warned_of(
    stage: AssessStage, reading: Samples, context: StageContext
) -> None:
    noise = np.random.default_rng(1).normal(0, 3000, len(reading))
    noisy = np.clip(reading + noise, -32768, 32767).astype(np.int16)
    request = quality.AssessRequest(audio_content=wav(noisy))
    (warning,) = (await result(stage, request, context)).report.warnings
    assert warning.reason == "POOR_SOUND"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (quality.AssessRequest(), Reason.SOURCE_MISSING),
        (quality.AssessRequest(audio_content=b"no audio"), Reason.AUDIO_CORRUPT),
        (
            quality.AssessRequest(audio_content=wav(np.zeros(0, np.int16))),
            Reason.AUDIO_EMPTY,
        ),
        (quality.AssessRequest(speech_chunk=preprocess.Chunk(index=-1)), Reason.CHUNK_INVALID),
    ],
)
async def test_what_cannot_be_measured_is_refused(
    stage: AssessStage, context: StageContext, request_: quality.AssessRequest, reason: Reason
) -> None:
    with pytest.raises(StageError) as caught:
        await result(stage, request_, context)
    assert caught.value.reason == reason
