"""The summary stage: makes notes on parts, and fills a template from them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import structlog
from google.protobuf import json_format

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.summary.v1 import summary_pb2 as summary
from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason
from maie_llm import Generation
from maie_llm.messages import generation_of
from maie_runtime.blobs import Blobs
from maie_runtime.worker.engine_calls import engine_call
from maie_runtime.worker.engines import load_engine
from maie_runtime.worker.stage import Batching, ResultFigures, StageContext, batching_of
from maie_summary.check import problem_with
from maie_summary.engine import Draft, Engine, Segment
from maie_summary.parts import (
    Part,
    Times,
    is_same_engine,
    labels_of,
    parts_mismatch,
    places_of,
    speakers_of,
    time_range,
    times_of,
    without_server_parameters,
)
from maie_summary.settings import ENGINES, SummarySettings
from maie_templates import Template, TemplateLibrary

log = structlog.get_logger()

# About five minutes of speech, as in a chunk of preprocess.
SEGMENTS_PER_PART = 100
# The share of the work before the reduce step.
MAP_SHARE = 0.8


class SummarizeStage:
    """Fills templates; each summary is valid against its template.

    Args:
        engine: The engine.
        library: The templates of the service.
    """

    def __init__(self, engine: Engine, library: TemplateLibrary) -> None:
        self._engine = engine
        self.weights = engine.weights
        self._library = library

    async def run(
        self, request: summary.SummarizeRequest, context: StageContext
    ) -> AsyncGenerator[summary.SummarizeResponse, None]:
        """Yields progress, and at last a part or the summary.

        Raises:
            StageError: INVALID_ARGUMENT with SOURCE_MISSING, TEMPLATE_REQUIRED,
                TEMPLATE_REJECTED or OPTION_OUT_OF_RANGE; NOT_FOUND with TEMPLATE_NOT_FOUND;
                FAILED_PRECONDITION with PARTS_MISMATCH if a part of another
                engine does not name its transcript; INTERNAL with
                SUMMARY_INVALID if no draft was valid.
        """
        generation = generation_of(request.generation)
        template = await self._template(request, context.blobs)
        yield _progress(0.0)
        parts: list[Part] = []
        match request.WhichOneof("source"):
            case "map":
                transcript = await context.blobs.get_message(request.map, common.Transcript)
                part = await self._map(transcript, transcript.segments, template, generation)
                yield _progress(1.0)
                yield _result(summary.SummarizeResult(part=part.to_message(request.map)))
                return
            case "whole":
                transcript = await context.blobs.get_message(request.whole, common.Transcript)
                parts.append(await self._map(transcript, transcript.segments, template, generation))
                yield _progress(MAP_SHARE)
            case "reduce":
                for count, blob in enumerate(request.reduce.parts, 1):
                    stored = await context.blobs.get_message(blob, summary.SummarizeResult)
                    parts.append(await self._part(stored.part, template, generation, context.blobs))
                    yield _progress(MAP_SHARE * count / len(request.reduce.parts))
            case "transcript":
                segments = request.transcript.segments
                for start in range(0, len(segments), SEGMENTS_PER_PART):
                    some = segments[start : start + SEGMENTS_PER_PART]
                    parts.append(await self._map(request.transcript, some, template, generation))
                    yield _progress(MAP_SHARE * (start + len(some)) / len(segments))
            case _:
                raise invalid(
                    Reason.SOURCE_MISSING,
                    "Set `transcript`, `map`, `reduce` or `whole` in the request.",
                    field="source",
                )
        speakers = labels_of(parts, request.speaker_names)
        filled = await self._reduce(parts, template, generation, context.heartbeat, speakers)
        yield _progress(1.0)
        yield _result(filled)

    async def _template(self, request: summary.SummarizeRequest, blobs: Blobs) -> Template:
        source = request.WhichOneof("template_source")
        if source == "template_blob":
            message = await blobs.get_message(request.template_blob, summary.Template)
            return Template.from_message(message)
        if source == "template_id":
            return self._library.get(request.template_id)
        raise invalid(
            Reason.TEMPLATE_REQUIRED,
            "Set `template_id` or `template_blob` in the request.",
            field="template_source",
        )

    async def _part(
        self,
        stored: summary.SummaryPart,
        template: Template,
        generation: Generation,
        blobs: Blobs,
    ) -> Part:
        """A stored part; made again if this engine cannot read its notes.

        During a rolling update, summary workers of two versions may work on one
        job. The summary is then made by one version only.
        """
        engine = self._engine.version(generation)
        if is_same_engine(stored.engine, engine):
            return Part.from_message(stored)
        if not stored.HasField("transcript"):
            raise parts_mismatch(stored.engine, engine)
        log.info("summary.part_made_anew", made_by=stored.engine.engine, engine=engine.engine)
        transcript = await blobs.get_message(stored.transcript, common.Transcript)
        return await self._map(transcript, transcript.segments, template, generation)

    async def _map(
        self,
        transcript: common.Transcript,
        segments: Sequence[common.Segment],
        template: Template,
        generation: Generation,
    ) -> Part:
        plain = [
            Segment(
                segment_id=segment.segment_id,
                text=segment.clean_text if segment.HasField("clean_text") else segment.text,
                speaker=segment.speaker,
            )
            for segment in segments
        ]
        with engine_call("maie.summary.map"):
            notes = await self._engine.map(plain, template, transcript.language_code)
        return Part(
            notes=notes,
            times=times_of(segments),
            engine=self._engine.version(generation),
            speakers=speakers_of(segments),
            places=places_of(segments),
        )

    async def _reduce(
        self,
        parts: Sequence[Part],
        template: Template,
        generation: Generation,
        heartbeat: Callable[[], None],
        speakers: Mapping[str, str],
    ) -> summary.SummarizeResult:
        times = {name: ends for part in parts for name, ends in part.times.items()}
        notes = [part.notes for part in parts]
        with engine_call("maie.summary.reduce"):
            draft = await self._engine.reduce(notes, template, generation, heartbeat, speakers)
        if problem := problem_with(draft, template, times.keys()):
            raise StageError(
                Code.INTERNAL,
                Reason.SUMMARY_INVALID,
                f"The engine {self._engine.version(generation).engine} could not fill the template "
                f"{template.template_id}: {problem}; use another template or engine.",
            )
        filled = self._summary(draft, template, times, parts, generation)
        return summary.SummarizeResult(summary=filled, warnings=draft.warnings)

    def _summary(
        self,
        draft: Draft,
        template: Template,
        times: Times,
        parts: Sequence[Part],
        generation: Generation,
    ) -> summary.Summary:
        filled = summary.Summary(
            template_id=template.template_id,
            template_sha256=template.sha256,
            template_version=template.version,
            engine=self._engine.version(generation),
        )
        own = without_server_parameters(filled.engine)
        for engine in (without_server_parameters(part.engine) for part in parts):
            if engine not in (own, *filled.part_engines):
                filled.part_engines.append(engine)
        json_format.ParseDict(draft.content, filled.content)
        speakers = {name: who for part in parts for name, who in part.speakers.items()}
        for source in draft.sources:
            names = sorted(set(source.segment_ids), key=lambda name: (times[name], name))
            filled.citations.add(
                pointer=source.pointer,
                segment_ids=names,
                ranges=[time_range(*times[name]) for name in names],
                speakers=[speakers.get(name, "") for name in names] if speakers else [],
            )
        return filled

    def figures(
        self, _: summary.SummarizeRequest, response: summary.SummarizeResponse
    ) -> ResultFigures:
        """The warnings about the notes or the summary."""
        return ResultFigures(warnings=[warning.reason for warning in response.result.warnings])

    @property
    def batching(self) -> Batching:
        """The batches of the engine's model."""
        return batching_of(self._engine)

    def facts(self, response: summary.SummarizeResponse) -> event.UnitFacts:
        """The conductor needs no facts of this stage."""
        return event.UnitFacts()

    def models(self) -> Sequence[event.ModelInfo]:
        """The engine."""
        return [
            event.ModelInfo(
                engine=self._engine.version(Generation()),
                description=self._engine.description,
                capabilities=self._engine.capabilities,
                language_codes=self._engine.language_codes,
            )
        ]


@asynccontextmanager
async def open_stage(settings: SummarySettings, blobs: Blobs) -> AsyncIterator[SummarizeStage]:
    """Checks all templates and loads the engine that the settings name.

    Raises:
        StageError: FAILED_PRECONDITION if the engine or the templates
            folder is missing, INVALID_ARGUMENT with TEMPLATE_REJECTED if a
            template is invalid.
    """
    library = TemplateLibrary(settings.templates.directory)
    library.check()
    async with load_engine(ENGINES, settings.engine)(settings) as engine:
        yield SummarizeStage(engine, library)


def _progress(fraction: float) -> summary.SummarizeResponse:
    return summary.SummarizeResponse(progress=summary.SummarizeProgress(fraction=fraction))


def _result(result: summary.SummarizeResult) -> summary.SummarizeResponse:
    return summary.SummarizeResponse(result=result)
