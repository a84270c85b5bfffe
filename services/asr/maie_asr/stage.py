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
from maie_asr.draft import Draft, DraftRules
from maie_asr.engine import Engine, RecognizedSegment, RecognizeOptions
from maie_asr.live.service import LiveService, open_live
from maie_asr.messages import capability_names
from maie_asr.options import recognize_options, suspect_text_policy
from maie_asr.rereading import SecondReader
from maie_asr.settings import ENGINES, AsrSettings, SuspectTextPolicy
from maie_asr.source import Source, load_source
from maie_asr.suspects import SegmentJudge
from maie_core.attributes import AUDIO_SECONDS
from maie_core.options import TURN_MODEL
from maie_core.result_warnings import transcript_reasons
from maie_runtime.blobs import Blobs
from maie_runtime.worker.engine_calls import engine_call
from maie_runtime.worker.engines import load_engine
from maie_runtime.worker.stage import Batching, ResultFigures, StageContext, batching_of

# What models that translate write.
TRANSLATION_LANGUAGE = "en"

_log = structlog.get_logger()


class TranscribeStage:
    """Transcribes chunks of speech with one engine.

    Args:
        engine: The engine.
        settings: The values of the options that requests leave unset.
        executor: Where audio is parsed and the VAD runs.
        live: Recognises live speech, which comes first; None where there is none.
    """

    def __init__(
        self,
        engine: Engine,
        settings: AsrSettings,
        executor: Executor,
        live: LiveService | None = None,
    ) -> None:
        self.streams = live
        self._engine = engine
        self.weights = engine.weights
        self._settings = settings
        self._executor = executor

    async def run(
        self, request: asr.TranscribeRequest, context: StageContext
    ) -> AsyncGenerator[asr.TranscribeResponse, None]:
        """Yields segments and progress, and at last the transcript.

        Raises:
            StageError: As `recognize_options`, `load_source` and the engine
                raise it.
        """
        options = self._options(request.options)
        source = await load_source(request, context.blobs, self._executor)
        policy = suspect_text_policy(request.options, self._settings)
        transcript = self._transcript(options, policy)
        draft = Draft(transcript, source, self._rules(options, policy))
        spoken = options.language
        async with aclosing(self._read(source, options, policy)) as recognized:
            async for found, reason in recognized:
                if found.text:
                    spoken = found.language
                    segment = draft.add(found, reason)
                    if segment is not None:
                        yield asr.TranscribeResponse(segment=segment)
                yield _progress(found.end / source.speech.seconds)
        async with aclosing(self._read_again(draft, source, options, spoken)) as again:
            async for language in again:
                spoken = language
                yield _progress(1.0)
        for segment in draft.finish():
            yield asr.TranscribeResponse(segment=segment)
        transcript.language_code = TRANSLATION_LANGUAGE if options.translate else spoken
        transcript.translated_from = spoken if options.translate else ""
        _report(transcript, policy)
        yield asr.TranscribeResponse(result=transcript)

    async def _read(
        self, source: Source, options: RecognizeOptions, policy: SuspectTextPolicy
    ) -> AsyncGenerator[tuple[RecognizedSegment, common.SuspectReason], None]:
        """The first reading: each segment, and why it is suspect."""
        if not source.speech.ranges:
            return
        judge = SegmentJudge(
            self._settings.suspect_text,
            source.speech.ranges,
            source.activity,
            self._executor,
            by_words=not options.translate,
        )
        with engine_call("maie.asr.read", {AUDIO_SECONDS: source.speech.seconds}):
            async with aclosing(self._engine.recognize(source.speech, options)) as recognized:
                async for found in recognized:
                    unjudged = common.SUSPECT_REASON_UNSPECIFIED
                    yield found, unjudged if policy == "off" else await judge.judge(found)
                    if self.streams is not None:
                        await self.streams.give_way()

    async def _read_again(
        self, draft: Draft, source: Source, options: RecognizeOptions, language: str
    ) -> AsyncGenerator[str, None]:
        """The second reading, of speech without text; yields the language after each interval."""
        reader = SecondReader(
            engine=self._engine,
            options=options,
            speech=source.speech,
            activity=source.activity,
            settings=self._settings.reread,
            suspect_text=self._settings.suspect_text,
            executor=self._executor,
        )
        async with aclosing(reader.fill(draft, language)) as languages:
            async for each in languages:
                yield each

    def figures(
        self, request: asr.TranscribeRequest, response: asr.TranscribeResponse
    ) -> ResultFigures:
        """The length of the chunk, and whether text is suspect or speech without text."""
        chunk = request.speech_chunk.range
        length = chunk.end_offset.ToNanoseconds() - chunk.start_offset.ToNanoseconds()
        return ResultFigures(
            audio_seconds=length / 1e9, warnings=transcript_reasons(response.result)
        )

    @property
    def batching(self) -> Batching:
        """The batches of windows that the engine ran."""
        return batching_of(self._engine)

    def facts(self, response: asr.TranscribeResponse) -> event.UnitFacts:
        """Whether the text still needs punctuation."""
        return event.UnitFacts(punctuated=response.result.punctuated)

    def models(self) -> Sequence[event.ModelInfo]:
        """The engine's model."""
        engine = self._engine
        capabilities = capability_names(engine.capabilities)
        if self.streams is not None and self._settings.live.turn_engine:
            capabilities.append(TURN_MODEL)
        return [
            event.ModelInfo(
                engine=engine.version(self._options(asr.TranscribeOptions())),
                description=engine.description,
                capabilities=capabilities,
                language_codes=engine.capabilities.language_codes,
                vram_bytes=engine.vram_bytes,
            )
        ]

    def _options(self, options: asr.TranscribeOptions) -> RecognizeOptions:
        return recognize_options(options, self._settings, self._engine.capabilities)

    def _rules(self, options: RecognizeOptions, policy: SuspectTextPolicy) -> DraftRules:
        return DraftRules(
            policy=policy,
            min_unread_seconds=self._settings.reread.seconds,
            # The words of a translation are in another order than the speech.
            by_words=not options.translate,
            word_times=options.word_times,
        )

    def _transcript(
        self, options: RecognizeOptions, policy: SuspectTextPolicy
    ) -> common.Transcript:
        """An empty transcript with the engine's version."""
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
            parameters["suspect_text.keep_confidence"] = json.dumps(suspect_text.keep_confidence)
        parameters["reread.seconds"] = json.dumps(self._settings.reread.seconds)
        parameters["reread.min_confidence"] = json.dumps(self._settings.reread.min_confidence)
        return transcript


@asynccontextmanager
async def open_stage(settings: AsrSettings, blobs: Blobs) -> AsyncIterator[TranscribeStage]:
    """Loads the engines that the settings name.

    Args:
        settings: The service's settings.
        blobs: The object store; each request brings its own view of it.

    Raises:
        StageError: FAILED_PRECONDITION where the engine or its model is missing.
    """
    with ThreadPoolExecutor(settings.slots, "asr-source") as executor:
        async with (
            load_engine(ENGINES, settings.engine)(settings) as engine,
            open_live(settings, engine) as live,
        ):
            yield TranscribeStage(engine, settings, executor, live)


def _report(transcript: common.Transcript, policy: SuspectTextPolicy) -> None:
    if transcript.suspect_texts:
        _log.warning("suspect text", found=len(transcript.suspect_texts), policy=policy)
    if transcript.reread_count:
        _log.warning(
            "speech without text was read again",
            intervals=transcript.reread_count,
            unread=len(transcript.unread),
        )


def _progress(fraction: float) -> asr.TranscribeResponse:
    return asr.TranscribeResponse(progress=asr.TranscribeProgress(fraction=min(fraction, 1.0)))
