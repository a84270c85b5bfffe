"""The diarization stage: voices in chunks, speakers of a recording, speakers of words."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie.event.v1 import event_pb2 as event
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_core.durations import duration, seconds
from maie_core.errors import invalid
from maie_core.options import check_speakers
from maie_core.reasons import Reason
from maie_diarization.engine import Engine
from maie_diarization.listening import Listener
from maie_diarization.live.service import LiveService, open_live
from maie_diarization.merge import with_speakers
from maie_diarization.recording import who_is_who
from maie_diarization.settings import ENGINES, DiarizationSettings
from maie_runtime.blobs import Blobs
from maie_runtime.worker.blocking import run_blocking
from maie_runtime.worker.engine_calls import engine_call
from maie_runtime.worker.engines import load_engine
from maie_runtime.worker.stage import ResultFigures, StageContext
from maie_speech.chunk_audio import read_content
from maie_speech.frames import SAMPLE_RATE
from maie_speech.speech import Speech, SpeechRange


class DiarizeStage:
    """Takes the step that a request's source says.

    Args:
        engine: The engine.
        executor: Where it, clustering and merging run.
        live: Tells the speakers of live speech apart; None where there is none.
    """

    def __init__(
        self, engine: Engine, executor: ThreadPoolExecutor, live: LiveService | None = None
    ) -> None:
        self.streams = live
        self.weights = engine.weights
        self._engine = engine
        self._executor = executor
        self._listener = Listener(engine, executor)

    async def run(
        self, request: diarization.DiarizeRequest, context: StageContext
    ) -> AsyncGenerator[diarization.DiarizeResponse, None]:
        """Yields the result of one step.

        Raises:
            StageError: INVALID_ARGUMENT with SOURCE_MISSING or OPTION_OUT_OF_RANGE; as
                `load_chunk`, `read_content` and `Blobs.get_message`.
        """
        check_speakers(request.options, "options")
        match request.WhichOneof("source"):
            case "speech_chunk":
                voices = await self._listener.chunk(request.speech_chunk, context)
                yield diarization.DiarizeResponse(voices=voices)
            case "voices":
                made = await self._reduce(request, context)
                yield diarization.DiarizeResponse(diarization=made)
            case "words":
                transcript = await self._merge(request.words, context)
                yield diarization.DiarizeResponse(transcript=transcript)
            case "audio_content":
                made = await self._whole(request, context)
                yield diarization.DiarizeResponse(diarization=made)
            case _:
                raise invalid(
                    Reason.SOURCE_MISSING,
                    "Set `speech_chunk`, `voices`, `words` or `audio_content` in the request.",
                    field="source",
                )

    async def _reduce(
        self, request: diarization.DiarizeRequest, context: StageContext
    ) -> diarization.Diarization:
        parts = [
            await self._listener.comparable(
                await context.blobs.get_message(part, diarization.Voices), context
            )
            for part in request.voices.parts
        ]
        return await self._identify(parts, request.options, context)

    async def _whole(
        self, request: diarization.DiarizeRequest, context: StageContext
    ) -> diarization.Diarization:
        samples = read_content(request.audio_content)
        length = len(samples) / SAMPLE_RATE
        chunk = preprocess.Chunk(range=common.TimeRange(end_offset=duration(length)))
        speech = Speech(samples=samples, ranges=(SpeechRange(start=0, end=len(samples)),))
        voices = await self._listener.speech(speech, chunk, context)
        return await self._identify([voices], request.options, context)

    async def _identify(
        self,
        parts: Sequence[diarization.Voices],
        options: diarization.SpeakerOptions,
        context: StageContext,
    ) -> diarization.Diarization:
        engine = self._engine
        with engine_call("maie.diarization.identify"):
            return await run_blocking(
                self._executor,
                lambda beat: who_is_who(parts, options, engine, beat),
                context.heartbeat,
            )

    async def _merge(
        self, source: diarization.WordsSource, context: StageContext
    ) -> common.Transcript:
        transcript = await context.blobs.get_message(source.transcript, common.Transcript)
        made = await context.blobs.get_message(source.diarization, diarization.Diarization)
        with engine_call("maie.diarization.merge"):
            return await run_blocking(
                self._executor, lambda _: with_speakers(transcript, made), context.heartbeat
            )

    def figures(
        self, request: diarization.DiarizeRequest, response: diarization.DiarizeResponse
    ) -> ResultFigures:
        """The length of the chunk in which voices were found."""
        span = request.speech_chunk.range
        return ResultFigures(audio_seconds=seconds(span.end_offset) - seconds(span.start_offset))

    def facts(self, response: diarization.DiarizeResponse) -> event.UnitFacts:
        """Of words with speakers, whether their text still needs punctuation."""
        return event.UnitFacts(punctuated=response.transcript.punctuated)

    def models(self) -> Sequence[event.ModelInfo]:
        """The engine."""
        return [
            event.ModelInfo(
                engine=self._engine.version,
                description=self._engine.description,
                capabilities=["speakers"],
                vram_bytes=self._engine.vram_bytes,
            )
        ]


@asynccontextmanager
async def open_stage(settings: DiarizationSettings, blobs: Blobs) -> AsyncIterator[DiarizeStage]:
    """Loads the engine that the settings name.

    Args:
        settings: The service's settings.
        blobs: The object store; each request brings its own view of it.

    Raises:
        StageError: FAILED_PRECONDITION where the engine or its model is missing.
    """
    with ThreadPoolExecutor(settings.slots, "diarization") as executor:
        async with (
            load_engine(ENGINES, settings.engine)(settings) as engine,
            open_live(settings, engine) as live,
        ):
            yield DiarizeStage(engine, executor, live)
