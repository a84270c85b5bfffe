"""The alignment stage."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager

from maie.alignment.v1 import alignment_pb2 as alignment
from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_alignment.chunks import ChunkedAudio, check_one_channel
from maie_alignment.engine import Engine
from maie_alignment.heard import heard_words
from maie_alignment.reading.audio import Audio, WholeAudio
from maie_alignment.reading.reader import Recording, read_along
from maie_alignment.settings import ENGINES, AlignmentSettings
from maie_alignment.text import TextWord, text_words
from maie_alignment.verdict import warnings_of
from maie_core.attributes import AUDIO_SECONDS
from maie_core.durations import seconds
from maie_core.errors import invalid
from maie_core.reading import check_reading_text
from maie_core.reasons import Reason
from maie_runtime.blobs import Blobs
from maie_runtime.worker.blocking import run_blocking
from maie_runtime.worker.engine_calls import engine_call
from maie_runtime.worker.engines import load_engine
from maie_runtime.worker.stage import ResultFigures, StageContext, readiness_of
from maie_speech.chunk_audio import read_content


class AlignStage:
    """Compares recordings with their texts.

    Args:
        engine: The engine.
        executor: Where texts and audio are read.
    """

    def __init__(self, engine: Engine, executor: Executor) -> None:
        self.weights = engine.weights
        self._engine = engine
        self._executor = executor

    async def run(
        self, request: alignment.AlignRequest, context: StageContext
    ) -> AsyncGenerator[alignment.AlignResponse, None]:
        """Compares one recording with its text.

        Raises:
            StageError: INVALID_ARGUMENT with SOURCE_MISSING, OPTION_NOT_SUPPORTED,
                LANGUAGE_NOT_SUPPORTED or AUDIO_TOO_LONG; as `check_reading_text`, `load_chunk`,
                `read_content` and the engine.
        """
        text = await self._text(request, context)
        audio, transcripts = await self._source(request, context)
        self._check_language(transcripts)
        recording = Recording(
            audio=audio, text=text, heard=None if transcripts is None else heard_words(transcripts)
        )
        with engine_call("maie.alignment.align", {AUDIO_SECONDS: audio.seconds}):
            async with aclosing(read_along(recording, self._engine)) as updates:
                async for update in updates:
                    if isinstance(update, float):
                        progress = alignment.AlignProgress(fraction=update)
                        yield alignment.AlignResponse(progress=progress)
                        continue
                    update.engine.CopyFrom(self._engine.version)
                    if transcripts:
                        update.asr_engine.CopyFrom(transcripts[0].asr_engine)
                    update.warnings.extend(warnings_of(update))
                    yield alignment.AlignResponse(reading=update)

    async def _text(
        self, request: alignment.AlignRequest, context: StageContext
    ) -> Sequence[TextWord]:
        text, field = request.text, "text"
        if request.HasField("stored_options"):
            options = await context.blobs.get_message(
                request.stored_options, alignment.ReadingOptions
            )
            text, field = options.text, "stored_options"
        check_reading_text(text, field=field)
        return await run_blocking(self._executor, lambda _: text_words(text), context.heartbeat)

    async def _source(
        self, request: alignment.AlignRequest, context: StageContext
    ) -> tuple[Audio, Sequence[common.Transcript] | None]:
        """The recording, and what was heard in it; None where nobody listened."""
        match request.WhichOneof("source"):
            case "chunks":
                return await self._stored(request.chunks, context.blobs)
            case "audio_content":
                samples = await run_blocking(
                    self._executor,
                    lambda _: read_content(request.audio_content),
                    context.heartbeat,
                )
                audio = WholeAudio(samples)
                if request.HasField("transcript"):
                    return audio, [request.transcript]
                if audio.seconds > self._engine.max_seconds:
                    raise invalid(
                        Reason.AUDIO_TOO_LONG,
                        f"Without a transcript, the audio has at most {self._engine.max_seconds:g} "
                        "s; send `transcript` with it, or submit the recording as a job.",
                        field="audio_content",
                    )
                return audio, None
            case _:
                raise invalid(
                    Reason.SOURCE_MISSING,
                    "Set `chunks` or `audio_content` in the request.",
                    field="source",
                )

    async def _stored(
        self, source: alignment.ChunksSource, blobs: Blobs
    ) -> tuple[Audio, Sequence[common.Transcript]]:
        plan = await blobs.get_message(source.preprocessed, preprocess.PreprocessResult)
        check_one_channel(plan.chunks)
        transcripts = [
            await blobs.get_message(each, common.Transcript) for each in source.transcripts
        ]
        return ChunkedAudio(plan.chunks, blobs, self._executor), transcripts

    def _check_language(self, transcripts: Sequence[common.Transcript] | None) -> None:
        spoken = {each.language_code for each in transcripts or () if each.segments}
        for code in sorted(spoken):
            if code and code.split("-")[0].lower() not in self._engine.language_codes:
                raise invalid(
                    Reason.LANGUAGE_NOT_SUPPORTED,
                    f"The recording was heard as {code}, and the engine "
                    f"{self._engine.version.engine} knows {', '.join(self._engine.language_codes)};"
                    " name the language if it was heard wrongly, or use another engine.",
                    field="language_code",
                )

    def figures(
        self, request: alignment.AlignRequest, response: alignment.AlignResponse
    ) -> ResultFigures:
        """The length of the reading."""
        return ResultFigures(
            audio_seconds=seconds(response.reading.figures.duration),
            warnings=[warning.reason for warning in response.reading.warnings],
        )

    def facts(self, response: alignment.AlignResponse) -> event.UnitFacts:
        """Nothing that others wait for."""
        return event.UnitFacts()

    def readiness(self) -> AsyncGenerator[bool, None]:
        """Whether the engine's server can do its work, at each change."""
        return readiness_of(self._engine)

    def models(self) -> Sequence[event.ModelInfo]:
        """The engine."""
        return [
            event.ModelInfo(
                engine=self._engine.version,
                description=self._engine.description,
                language_codes=self._engine.language_codes,
                capabilities=["reading"],
                vram_bytes=self._engine.vram_bytes,
            )
        ]


@asynccontextmanager
async def open_stage(settings: AlignmentSettings, blobs: Blobs) -> AsyncIterator[AlignStage]:
    """Loads the engine that the settings name.

    Args:
        settings: The service's settings.
        blobs: The object store; each request brings its own view of it.

    Raises:
        StageError: FAILED_PRECONDITION where the engine or its model is missing.
    """
    with ThreadPoolExecutor(settings.slots, "reading") as executor:
        async with load_engine(ENGINES, settings.engine)(settings) as engine:
            yield AlignStage(engine, executor)
