"""The ASR stage: the text of one chunk of speech, segment by segment."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie_asr.engine import Engine, RecognizeOptions
from maie_asr.messages import capability_names, segment_message
from maie_asr.settings import AsrSettings
from maie_asr.source import load_source
from maie_runtime.blobs import Blobs
from maie_runtime.engines import load_engine
from maie_runtime.errors import invalid
from maie_runtime.stage import StageContext

ENGINES = "maie.asr.engines"


class TranscribeStage:
    """Reads chunks of speech with one engine.

    Args:
        engine: The engine.
        settings: What requests leave unset.
        executor: Where audio is parsed and speech is found.
    """

    def __init__(self, engine: Engine, settings: AsrSettings, executor: Executor) -> None:
        self._engine = engine
        self._settings = settings
        self._executor = executor

    async def run(
        self, request: asr.TranscribeRequest, context: StageContext
    ) -> AsyncGenerator[asr.TranscribeResponse, None]:
        """Answers segments and progress, and at last the transcript.

        Raises:
            StageError: INVALID_ARGUMENT with LANGUAGE_NOT_SUPPORTED, what
                `load_source` raises, and what the engine raises.
        """
        options = self._options(request.options)
        source = await load_source(request, context.blobs, self._executor)
        segments: list[common.Segment] = []
        language = options.language
        if source.speech.ranges:
            async with aclosing(self._engine.recognize(source.speech, options)) as recognized:
                async for found in recognized:
                    if found.text:
                        language = found.language
                        segment_id = f"c{source.chunk:04d}-s{len(segments):04d}"
                        segments.append(segment_message(found, segment_id, source.offset))
                        yield asr.TranscribeResponse(segment=segments[-1])
                    yield _progress(found.end / source.speech.seconds)
        yield asr.TranscribeResponse(result=self._transcript(segments, language, options))

    def facts(self, response: asr.TranscribeResponse) -> event.UnitFacts:
        """Whether the text still needs punctuation."""
        return event.UnitFacts(punctuated=response.result.punctuated)

    def models(self) -> Sequence[event.ModelInfo]:
        """The engine's model."""
        engine = self._engine
        return [
            event.ModelInfo(
                engine=engine.version(self._options(asr.TranscribeOptions())),
                description=engine.description,
                capabilities=capability_names(engine.capabilities),
                language_codes=engine.capabilities.language_codes,
                vram_bytes=engine.vram_bytes,
            )
        ]

    def _options(self, options: asr.TranscribeOptions) -> RecognizeOptions:
        settings = self._settings
        word_times = settings.word_time_offsets
        if options.HasField("word_time_offsets"):
            word_times = options.word_time_offsets
        return RecognizeOptions(
            language=self._language(options.language_code or settings.language_code),
            hotwords=tuple(options.hotwords) or settings.hotwords,
            word_times=word_times,
        )

    def _language(self, tag: str) -> str:
        known = self._engine.capabilities.language_codes
        language = tag.replace("_", "-").partition("-")[0].lower()
        if language and known and language not in known:
            shown = ", ".join(known) if len(known) <= 10 else f"{len(known)} others"
            raise invalid(
                "LANGUAGE_NOT_SUPPORTED",
                f"The ASR engine does not read the language {tag!r}; it reads {shown}.",
                field="options.language_code",
            )
        # An engine of one language needs not be told.
        return language or (known[0] if len(known) == 1 else "")

    def _transcript(
        self, segments: list[common.Segment], language: str, options: RecognizeOptions
    ) -> common.Transcript:
        return common.Transcript(
            segments=segments,
            language_code=language,
            punctuated=self._engine.capabilities.punctuates,
            asr_engine=self._engine.version(options),
        )


@asynccontextmanager
async def open_stage(settings: AsrSettings, blobs: Blobs) -> AsyncIterator[TranscribeStage]:
    """Loads the engine that the settings name.

    Args:
        settings: The service's settings.
        blobs: The object store; each request brings its own view of it.

    Raises:
        StageError: FAILED_PRECONDITION where the engine or its model is missing.
    """
    with ThreadPoolExecutor(settings.slots, "asr-source") as executor:
        async with load_engine(ENGINES, settings.engine)(settings) as engine:
            yield TranscribeStage(engine, settings, executor)


def _progress(fraction: float) -> asr.TranscribeResponse:
    return asr.TranscribeResponse(progress=asr.TranscribeProgress(fraction=min(fraction, 1.0)))
