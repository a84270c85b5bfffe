"""Stages without an engine: they answer at once, or as a test defines.

They are typed fakes for tests and measurements of everything around engines.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any

from maie.alignment.v1 import alignment_pb2 as alignment
from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie.enhancement.v1 import enhancement_pb2 as enhancement
from maie.event.v1 import event_pb2 as event
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie.quality.v1 import quality_pb2 as quality
from maie.speech.v1 import speech_pb2 as speech
from maie.summary.v1 import summary_pb2 as summary
from maie_core.result_warnings import transcript_reasons
from maie_runtime.blobs import Blobs
from maie_runtime.gpu.loadable import Loadable
from maie_runtime.worker.stage import ResultFigures, StageContext

Hook = Callable[[StageContext], Awaitable[None]]
ENGINE = common.EngineVersion(engine="empty")


async def _nothing(_: StageContext) -> None:
    return


class Gate:
    """A hook at which runs wait until a test opens it.

    Attributes:
        reached: A run has come to it.
        opened: Runs may go on.
    """

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, _: StageContext) -> None:
        self.reached.set()
        await self.opened.wait()


@dataclass(kw_only=True)
class EmptyStage:
    """A stage that answers what `answer` gives, after `hook` has run.

    Attributes:
        answer: Makes the responses of one request; may be a coroutine function.
        hook: Runs first; may wait or raise.
        runs: The units that were begun, with their attempts.
        stopped: The units that were cancelled.
        weights: Its model, to be loaded and unloaded.
        capabilities: What it says that it can do.
    """

    answer: Callable[[Any, StageContext, int], Any]
    chunks: int = 1
    hook: Hook = _nothing
    runs: list[tuple[str, int]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    weights: Loadable | None = None
    capabilities: Sequence[str] = ()

    async def run(self, request: Any, context: StageContext) -> AsyncGenerator[Any, None]:
        """Answers one request."""
        self.runs.append((context.unit, context.attempt))
        try:
            await self.hook(context)
            answered = self.answer(request, context, self.chunks)
            for response in await answered if isawaitable(answered) else answered:
                yield response
        except (asyncio.CancelledError, GeneratorExit):
            self.stopped.append(context.unit)
            raise

    def facts(self, response: Any) -> event.UnitFacts:
        """Says how many chunks there are, where the stage is preprocess."""
        result = getattr(response, response.WhichOneof("update"))
        if isinstance(result, preprocess.PreprocessResult):
            return event.UnitFacts(chunk_count=len(result.chunks), duration=result.duration)
        return event.UnitFacts(
            punctuated=isinstance(result, common.Transcript) and result.punctuated
        )

    def figures(self, _: Any, response: Any) -> ResultFigures:
        """The warnings that a result carries, as the real stages report them."""
        result = getattr(response, response.WhichOneof("update"))
        if isinstance(result, common.Transcript):
            return ResultFigures(warnings=transcript_reasons(result))
        # A stage that the contract does not name may have results without warnings.
        warnings = getattr(result, "warnings", ())
        return ResultFigures(warnings=[warning.reason for warning in warnings])

    def models(self) -> Sequence[event.ModelInfo]:
        """One model without weights."""
        return [
            event.ModelInfo(
                engine=ENGINE, description="Nothing at all.", capabilities=self.capabilities
            )
        ]

    @asynccontextmanager
    async def opened(self, _: Blobs) -> AsyncIterator[EmptyStage]:
        """The stage as `serve_stage` opens it."""
        yield self


def _preprocess(_: Any, __: StageContext, chunks: int) -> list[preprocess.PreprocessResponse]:
    result = preprocess.PreprocessResult(vad_engine=ENGINE)
    result.duration.FromSeconds(10 * chunks)
    for index in range(chunks):
        chunk = result.chunks.add(index=index)
        chunk.range.start_offset.FromSeconds(10 * index)
        chunk.range.end_offset.FromSeconds(10 * (index + 1))
    return [
        preprocess.PreprocessResponse(progress=preprocess.PreprocessProgress(fraction=0.5)),
        preprocess.PreprocessResponse(result=result),
    ]


def _segment(index: int) -> common.Segment:
    segment = common.Segment(segment_id=f"c{index:04d}-s0000", text=f"chunk {index}")
    segment.start_offset.FromSeconds(10 * index)
    segment.end_offset.FromSeconds(10 * (index + 1))
    return segment


def _asr(request: asr.TranscribeRequest, _: StageContext, __: int) -> list[asr.TranscribeResponse]:
    segment = _segment(request.speech_chunk.index)
    transcript = common.Transcript(segments=[segment], language_code="en", asr_engine=ENGINE)
    return [
        asr.TranscribeResponse(segment=segment),
        asr.TranscribeResponse(progress=asr.TranscribeProgress(fraction=0.5)),
        asr.TranscribeResponse(result=transcript),
    ]


def _diarization(
    request: diarization.DiarizeRequest, context: StageContext, __: int
) -> list[diarization.DiarizeResponse]:
    match request.WhichOneof("source"):
        case "speech_chunk":
            voices = diarization.Voices(chunk=request.speech_chunk, engine=ENGINE)
            return [diarization.DiarizeResponse(voices=voices)]
        case "voices":
            nobody = diarization.Diarization(engine=ENGINE)
            return [diarization.DiarizeResponse(diarization=nobody)]
        case _:
            segment = _segment(int(context.unit.rpartition(".")[2]))
            transcript = common.Transcript(
                segments=[segment], language_code="en", asr_engine=ENGINE
            )
            return [diarization.DiarizeResponse(transcript=transcript)]


def _enhancement(
    _: enhancement.EnhanceRequest, context: StageContext, __: int
) -> list[enhancement.EnhanceResponse]:
    index = int(context.unit.rpartition(".")[2])
    segment = _segment(index)
    segment.clean_text = f"Chunk {index}."
    transcript = common.Transcript(
        segments=[segment],
        language_code="en",
        asr_engine=ENGINE,
        enhancement_engine=ENGINE,
        edit_rate=0.1,
        # As if nothing had become of the second chunk.
        kept_segment_ids=[segment.segment_id] if index == 1 else [],
    )
    return [enhancement.EnhanceResponse(result=transcript)]


def _quality(
    request: quality.AssessRequest, _: StageContext, __: int
) -> list[quality.AssessResponse]:
    if request.WhichOneof("source") == "speech_chunk":
        return [quality.AssessResponse(measures=quality.Measures(engine=ENGINE))]
    return [quality.AssessResponse(report=quality.QualityReport(engine=ENGINE))]


def _alignment(
    _: alignment.AlignRequest, __: StageContext, ___: int
) -> list[alignment.AlignResponse]:
    return [alignment.AlignResponse(reading=alignment.Reading(engine=ENGINE))]


def _summary(
    request: summary.SummarizeRequest, _: StageContext, __: int
) -> list[summary.SummarizeResponse]:
    result = summary.SummarizeResult()
    if request.WhichOneof("source") == "map":
        result.part.notes_json = "{}"
    else:
        result.summary.content.update({"parts": len(request.reduce.parts)})
        result.summary.engine.CopyFrom(ENGINE)
    return [summary.SummarizeResponse(result=result)]


async def _synthesis(
    request: speech.SynthesizeRequest, context: StageContext, _: int
) -> list[speech.SynthesizeResponse]:
    if request.HasField("summary"):
        async with context.blobs.writer(f"{context.folder}/digest-audio") as writer:
            await writer.write(b"as if it were speech")
        audio, result = writer.blob(), speech.SynthesizeResult(engine=ENGINE)
        digest = speech.Digest(
            text="Parts.", format=request.format, size_bytes=audio.size_bytes, result=result
        )
        made = speech.SpokenSummary(audio=audio, digest=digest)
        return [speech.SynthesizeResponse(spoken_summary=made)]
    return [speech.SynthesizeResponse(result=speech.SynthesizeResult(engine=ENGINE))]


def empty_stages(chunks: int = 1) -> dict[str, EmptyStage]:
    """All stages, by slug; preprocess cuts each recording into `chunks`."""
    return {
        "preprocess": EmptyStage(answer=_preprocess, chunks=chunks),
        "asr": EmptyStage(answer=_asr),
        "diarization": EmptyStage(answer=_diarization),
        "quality": EmptyStage(answer=_quality),
        "alignment": EmptyStage(answer=_alignment),
        "enhancement": EmptyStage(answer=_enhancement),
        "summary": EmptyStage(answer=_summary),
        "synthesis": EmptyStage(answer=_synthesis),
    }
