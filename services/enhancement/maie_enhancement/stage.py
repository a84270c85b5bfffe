"""The enhancement stage: clean text for each segment of a transcript."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager

import structlog

from maie.common.v1 import types_pb2 as common
from maie.enhancement.v1 import enhancement_pb2 as enhancement
from maie.event.v1 import event_pb2 as event
from maie_core.durations import seconds
from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason
from maie_enhancement.engine import Engine, Segment, Word
from maie_enhancement.guard import edit_rate, word_change, words_of
from maie_enhancement.settings import ENGINES, EnhancementSettings
from maie_llm import Generation
from maie_llm.messages import generation_of
from maie_runtime.blobs import Blobs
from maie_runtime.worker.engine_calls import engine_call
from maie_runtime.worker.engines import load_engine
from maie_runtime.worker.stage import Batching, StageContext, batching_of

log = structlog.get_logger()

# The number of progress messages for each transcript, which may have thousands of segments.
PROGRESS_STEPS = 10


class EnhanceStage:
    """Writes `clean_text` into every segment that has none, and never changes the words.

    Args:
        engine: The engine.
        executor: Where texts are compared.
    """

    def __init__(self, engine: Engine, executor: ThreadPoolExecutor) -> None:
        self._engine = engine
        self.weights = engine.weights
        self._executor = executor

    async def run(
        self, request: enhancement.EnhanceRequest, context: StageContext
    ) -> AsyncGenerator[enhancement.EnhanceResponse, None]:
        """Yields deltas and progress, and at last the whole transcript.

        Raises:
            StageError: INVALID_ARGUMENT with SOURCE_MISSING,
                OPTION_OUT_OF_RANGE or FIELD_INVALID if a segment
                contradicts itself, INTERNAL with WORDS_CHANGED if the
                engine changed more words than it promised.
        """
        generation = generation_of(request.generation)
        transcript = await _transcript(request, context.blobs)
        if transcript.punctuated:
            _keep(transcript)
        else:
            given = [segment.HasField("clean_text") for segment in transcript.segments]
            if not _is_clean(transcript):
                async with aclosing(
                    self._enhance(transcript, generation, context.heartbeat)
                ) as updates:
                    async for update in updates:
                        yield update
                transcript.enhancement_engine.CopyFrom(self._engine.version(generation))
            await asyncio.get_running_loop().run_in_executor(
                self._executor, _finish, transcript, given, self._engine.max_word_change
            )
        yield enhancement.EnhanceResponse(result=transcript)

    async def _enhance(
        self,
        transcript: common.Transcript,
        generation: Generation,
        heartbeat: Callable[[], None],
    ) -> AsyncGenerator[enhancement.EnhanceResponse, None]:
        """Fills `clean_text` in place where there is none, and yields what it writes."""
        segments = transcript.segments
        given = [segment.HasField("clean_text") for segment in segments]
        pieces = self._engine.enhance(
            [_plain(segment) for segment in segments],
            transcript.language_code,
            generation,
            heartbeat,
        )
        step = max(len(segments) // PROGRESS_STEPS, 1)
        reported = 0
        with engine_call("maie.enhancement.enhance"):
            async with aclosing(pieces):
                async for piece in pieces:
                    segment = segments[piece.segment]
                    if given[piece.segment]:
                        continue
                    segment.clean_text += piece.text
                    if piece.kept:
                        transcript.kept_segment_ids.append(segment.segment_id)
                    yield _delta(segment.segment_id, piece.text)
                    if piece.segment >= reported + step:
                        reported = piece.segment
                        yield _progress(piece.segment / len(segments))
        if kept := len(transcript.kept_segment_ids):
            log.warning("enhancement.segments_kept", kept=kept, segments=len(segments))
        yield _progress(1.0)

    @property
    def batching(self) -> Batching:
        """The batches of the engine's model."""
        return batching_of(self._engine)

    def facts(self, response: enhancement.EnhanceResponse) -> event.UnitFacts:
        """The conductor needs no facts of this stage."""
        return event.UnitFacts()

    def models(self) -> Sequence[event.ModelInfo]:
        """The engine."""
        return [
            event.ModelInfo(
                engine=self._engine.version(Generation()),
                description=self._engine.description,
                capabilities=["punctuation", "casing"],
                language_codes=self._engine.language_codes,
            )
        ]


@asynccontextmanager
async def open_stage(settings: EnhancementSettings, blobs: Blobs) -> AsyncIterator[EnhanceStage]:
    """Loads the engine that the settings name.

    Raises:
        StageError: FAILED_PRECONDITION if the engine or its model is missing.
    """
    with ThreadPoolExecutor(settings.slots, "enhancement") as executor:
        async with load_engine(ENGINES, settings.engine)(settings) as engine:
            yield EnhanceStage(engine, executor)


async def _transcript(request: enhancement.EnhanceRequest, blobs: Blobs) -> common.Transcript:
    source = request.WhichOneof("source")
    if source == "transcript_blob":
        return await blobs.get_message(request.transcript_blob, common.Transcript)
    if source == "transcript":
        transcript = common.Transcript()
        transcript.CopyFrom(request.transcript)
        return transcript
    raise invalid(
        Reason.SOURCE_MISSING,
        "Set `transcript_blob` or `transcript` in the request.",
        field="source",
    )


def _is_clean(transcript: common.Transcript) -> bool:
    segments = transcript.segments
    return bool(segments) and all(segment.HasField("clean_text") for segment in segments)


def _keep(transcript: common.Transcript) -> None:
    for segment in transcript.segments:
        segment.clean_text = segment.text
    transcript.edit_rate = 0.0


def _finish(transcript: common.Transcript, given: Sequence[bool], max_word_change: float) -> None:
    for place, segment in enumerate(transcript.segments):
        change = word_change(words_of(segment.text), words_of(segment.clean_text))
        if change > max_word_change:
            if given[place]:
                raise invalid(
                    Reason.FIELD_INVALID,
                    "The clean text of a segment has other words than its text; send each segment "
                    "as a stage gave it.",
                    field=f"transcript.segments[{place}]",
                )
            raise StageError(
                Code.INTERNAL,
                Reason.WORDS_CHANGED,
                f"The enhancement engine changed the words of segment {segment.segment_id}; "
                "use the raw transcript or another engine.",
            )
    transcript.edit_rate = edit_rate(
        [segment.text for segment in transcript.segments],
        [segment.clean_text for segment in transcript.segments],
    )


def _plain(segment: common.Segment) -> Segment:
    """A segment as engines get it; clean text shows them the text before and after."""
    clean = segment.HasField("clean_text")
    written = segment.clean_text.split()
    if not clean or len(written) != len(segment.words):
        written = [word.word for word in segment.words]
    words = tuple(
        Word(text=each, start=seconds(word.start_offset), end=seconds(word.end_offset))
        for each, word in zip(written, segment.words, strict=True)
    )
    return Segment(
        text=segment.clean_text if clean else segment.text,
        start=seconds(segment.start_offset),
        end=seconds(segment.end_offset),
        words=words,
    )


def _delta(segment_id: str, text: str) -> enhancement.EnhanceResponse:
    delta = enhancement.EnhanceDelta(segment_id=segment_id, clean_text=text)
    return enhancement.EnhanceResponse(delta=delta)


def _progress(fraction: float) -> enhancement.EnhanceResponse:
    return enhancement.EnhanceResponse(progress=enhancement.EnhanceProgress(fraction=fraction))
