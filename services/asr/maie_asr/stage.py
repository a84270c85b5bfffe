"""The ASR stage: the text of one chunk of speech, segment by segment."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager

import structlog

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie_asr.engine import Engine, RecognizedSegment, RecognizeOptions
from maie_asr.messages import capability_names, segment_message
from maie_asr.options import recognize_options, suspect_text_policy
from maie_asr.settings import AsrSettings, SuspectTextPolicy
from maie_asr.source import Source, load_source
from maie_asr.suspects import SuspectFinder
from maie_runtime.blobs import Blobs
from maie_runtime.engines import load_engine
from maie_runtime.stage import StageContext

ENGINES = "maie.asr.engines"
# What models that translate write.
TRANSLATION_LANGUAGE = "en"

_log = structlog.get_logger()


class TranscribeStage:
    """Reads chunks of speech with one engine.

    Args:
        engine: The engine.
        settings: What requests leave unset.
        executor: Where audio is parsed and speech is found.
    """

    def __init__(self, engine: Engine, settings: AsrSettings, executor: Executor) -> None:
        self._engine = engine
        self.weights = engine.weights
        self._settings = settings
        self._executor = executor

    async def run(
        self, request: asr.TranscribeRequest, context: StageContext
    ) -> AsyncGenerator[asr.TranscribeResponse, None]:
        """Answers segments and progress, and at last the transcript.

        Raises:
            StageError: What `recognize_options`, `load_source` and the engine
                raise.
        """
        options = self._options(request.options)
        source = await load_source(request, context.blobs, self._executor)
        policy = suspect_text_policy(request.options, self._settings)
        transcript = self._transcript(options, policy)
        spoken = options.language
        finder = SuspectFinder(self._settings.suspect_text, source.speech.ranges)
        if source.speech.ranges:
            async with aclosing(self._engine.recognize(source.speech, options)) as recognized:
                async for found in recognized:
                    if found.text:
                        spoken = found.language
                        segment = _add(transcript, found, source, finder.judge(found), policy)
                        if segment is not None:
                            yield asr.TranscribeResponse(segment=segment)
                    yield _progress(found.end / source.speech.seconds)
        transcript.language_code = TRANSLATION_LANGUAGE if options.translate else spoken
        transcript.translated_from = spoken if options.translate else ""
        if transcript.suspect_texts:
            _log.warning("suspect text", found=len(transcript.suspect_texts), policy=policy)
        yield asr.TranscribeResponse(result=transcript)

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
        return recognize_options(options, self._settings, self._engine.capabilities)

    def _transcript(
        self, options: RecognizeOptions, policy: SuspectTextPolicy
    ) -> common.Transcript:
        """A transcript of nothing as yet."""
        transcript = common.Transcript(
            punctuated=self._engine.capabilities.punctuates,
            asr_engine=self._engine.version(options),
        )
        suspect_text = self._settings.suspect_text
        parameters = transcript.asr_engine.parameters
        parameters["suspect_text.policy"] = json.dumps(policy)
        if policy != "off":
            parameters["suspect_text.max_repeats"] = json.dumps(suspect_text.max_repeats)
            parameters["suspect_text.min_speech_share"] = json.dumps(suspect_text.min_speech_share)
        return transcript


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


def _add(
    transcript: common.Transcript,
    found: RecognizedSegment,
    source: Source,
    reason: common.SuspectReason,
    policy: SuspectTextPolicy,
) -> common.Segment | None:
    """Adds what was found; gives the segment unless it was left out."""
    segment_id = f"c{source.chunk:04d}-s{len(transcript.segments):04d}"
    segment = segment_message(found, segment_id, source)
    if reason and policy != "off":
        removed = policy == "remove"
        span = common.TimeRange(start_offset=segment.start_offset, end_offset=segment.end_offset)
        transcript.suspect_texts.add(range=span, text=found.text, reason=reason, removed=removed)
        if removed:
            return None
    transcript.segments.append(segment)
    return segment


def _progress(fraction: float) -> asr.TranscribeResponse:
    return asr.TranscribeResponse(progress=asr.TranscribeProgress(fraction=min(fraction, 1.0)))
