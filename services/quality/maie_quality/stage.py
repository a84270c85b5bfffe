"""The quality stage."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager

import numpy as np

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie.quality.v1 import quality_pb2 as quality
from maie_core.attributes import AUDIO_SECONDS
from maie_core.durations import duration, seconds
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_quality.engine import Engine
from maie_quality.measuring import measure
from maie_quality.report import make_report
from maie_quality.settings import ENGINES, QualitySettings
from maie_quality.signals.levels import FULL_SCALE, decibels
from maie_runtime.blobs import Blobs
from maie_runtime.worker.blocking import run_blocking
from maie_runtime.worker.engine_calls import engine_call
from maie_runtime.worker.engines import load_engine
from maie_runtime.worker.stage import ResultFigures, StageContext
from maie_speech.chunk_audio import load_chunk, read_content
from maie_speech.speech import Speech, SpeechRange


class AssessStage:
    """Measures chunks with one engine, and makes reports.

    Args:
        engine: The engine.
        executor: Where it runs.
        step: The seconds from one window to the next.
    """

    def __init__(self, engine: Engine, executor: Executor, step: float) -> None:
        self.weights = engine.weights
        self._engine = engine
        self._executor = executor
        self._step = step

    async def run(
        self, request: quality.AssessRequest, context: StageContext
    ) -> AsyncGenerator[quality.AssessResponse, None]:
        """Takes one step, or both for audio in the request.

        Raises:
            StageError: INVALID_ARGUMENT with SOURCE_MISSING; as `load_chunk` and `read_content`.
        """
        match request.WhichOneof("source"):
            case "speech_chunk":
                chunk = request.speech_chunk
                speech = await load_chunk(chunk, context.blobs, self._executor)
                measures = await self._measure(speech, chunk, context)
                yield quality.AssessResponse(measures=measures)
            case "measures":
                report = await self._report(request.measures, context)
                yield quality.AssessResponse(report=report)
            case "audio_content":
                report = await self._whole(request.audio_content, context)
                yield quality.AssessResponse(report=report)
            case _:
                raise invalid(
                    Reason.SOURCE_MISSING,
                    "Set `speech_chunk`, `measures` or `audio_content` in the request.",
                    field="source",
                )

    async def _measure(
        self, speech: Speech, chunk: preprocess.Chunk, context: StageContext
    ) -> quality.Measures:
        with engine_call("maie.quality.rate", {AUDIO_SECONDS: speech.seconds}):
            return await run_blocking(
                self._executor,
                lambda beat: measure(speech, chunk, self._engine, self._step, beat),
                context.heartbeat,
            )

    async def _report(
        self, source: quality.MeasuresSource, context: StageContext
    ) -> quality.QualityReport:
        parts = [await context.blobs.get_message(each, quality.Measures) for each in source.parts]
        preprocessed = await context.blobs.get_message(
            source.preprocessed, preprocess.PreprocessResult
        )
        return await run_blocking(
            self._executor, lambda _: make_report(parts, preprocessed), context.heartbeat
        )

    async def _whole(self, content: bytes, context: StageContext) -> quality.QualityReport:
        """The report of a sound that counts as speech from end to end."""
        samples = read_content(content)
        whole = SpeechRange(start=0, end=len(samples))
        speech = Speech(samples=samples, ranges=(whole,))
        chunk = preprocess.Chunk(range=common.TimeRange(end_offset=duration(speech.seconds)))
        measures = await self._measure(speech, chunk, context)
        peak = int(np.abs(samples.astype(np.int32)).max())
        sound = preprocess.AudioQuality(
            vad_coverage=1.0, peak_dbfs=decibels((peak / FULL_SCALE) ** 2)
        )
        return make_report([measures], preprocess.PreprocessResult(quality=sound))

    def figures(
        self, request: quality.AssessRequest, response: quality.AssessResponse
    ) -> ResultFigures:
        """The length of the chunk that was measured."""
        span = request.speech_chunk.range
        return ResultFigures(audio_seconds=seconds(span.end_offset) - seconds(span.start_offset))

    def facts(self, response: quality.AssessResponse) -> event.UnitFacts:
        """Nothing that others wait for."""
        return event.UnitFacts()

    def models(self) -> Sequence[event.ModelInfo]:
        """The engine."""
        return [
            event.ModelInfo(
                engine=self._engine.version,
                description=self._engine.description,
                capabilities=["quality"],
                vram_bytes=self._engine.vram_bytes,
            )
        ]


@asynccontextmanager
async def open_stage(settings: QualitySettings, blobs: Blobs) -> AsyncIterator[AssessStage]:
    """Loads the engine that the settings name.

    Args:
        settings: The service's settings.
        blobs: The object store; each request brings its own view of it.

    Raises:
        StageError: FAILED_PRECONDITION where the engine or its model is missing.
    """
    with ThreadPoolExecutor(settings.slots, "quality") as executor:
        async with load_engine(ENGINES, settings.engine)(settings) as engine:
            yield AssessStage(engine, executor, settings.step_seconds)
