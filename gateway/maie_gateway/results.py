"""A job as clients see it, put together from its record and its stored results."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie.summary.v1 import summary_pb2 as summary
from maie_gateway.conductor import job_view
from maie_gateway.job_warnings import (
    bounded,
    suspect_texts,
    transcript_warnings,
    unread_ranges,
)
from maie_gateway.metrics import edit_rate, job_metrics
from maie_gateway.stored_results import StoredResults
from maie_pipeline.recording import PREPROCESS, SUMMARY_REDUCE

JobResults: TypeAlias = job.JobResults

# A longer silence begins a new paragraph of the clean transcript.
PARAGRAPH_PAUSE_SECONDS = 2.0
TEXT_STAGES = (common.STAGE_ASR, common.STAGE_ENHANCEMENT)
HAS_OUTPUT = (job.UNIT_STATE_COMPLETED, job.UNIT_STATE_SKIPPED)


@dataclass(kw_only=True, slots=True)
class Outputs:
    """What a job's units gave so far.

    Attributes:
        plan: From preprocess.
        transcripts: The best transcript of each chunk, in recording order.
        summary: From the reduce step.
        warnings: Of the recording, of the text and of the summary.
    """

    plan: preprocess.PreprocessResult | None = None
    transcripts: list[common.Transcript] = field(default_factory=list)
    summary: summary.Summary | None = None
    warnings: list[common.Warning] = field(default_factory=list)


@dataclass(kw_only=True, frozen=True, slots=True)
class UnitNews:
    """What a unit that ended brings for those who watch its job.

    Attributes:
        segments: The text with times, in recording order.
        warnings: What a person should know of it.
    """

    segments: Sequence[common.Segment] = ()
    warnings: Sequence[common.Warning] = ()


class Results:
    """Reads stored results and shows jobs with them.

    Raises:
        StageError: DATA_LOSS with BLOB_CORRUPT or BLOB_MISSING naming the object.
    """

    def __init__(self, stored: StoredResults) -> None:
        self._stored = stored

    async def job(self, of: record.JobRecord) -> job.Job:
        """The job with everything that was asked for, as far as it is there."""
        outputs = await self._outputs(of)
        shown = job_view(of)
        shown.results.CopyFrom(_results(of, outputs))
        shown.metrics.CopyFrom(job_metrics(of, outputs.plan, outputs.transcripts))
        shown.versions.CopyFrom(_versions(of, outputs))
        return shown

    async def texts(self, of: record.JobRecord) -> JobResults:
        """The job's results by themselves, as far as they are there."""
        return _results(of, await self._outputs(of))

    async def news(self, unit: record.Unit) -> UnitNews:
        """What a unit brings that has ended and gave something."""
        if unit.unit == PREPROCESS:
            return UnitNews(warnings=bounded((await self._plan(unit)).warnings))
        if unit.unit == SUMMARY_REDUCE:
            return UnitNews(warnings=bounded((await self._summary(unit)).warnings))
        if unit.stage in TEXT_STAGES:
            transcript = await self._transcript(unit)
            return UnitNews(
                segments=transcript.segments, warnings=transcript_warnings([transcript])
            )
        return UnitNews()

    async def _outputs(self, of: record.JobRecord) -> Outputs:
        done = _done(of)
        outputs = Outputs()
        if PREPROCESS in done:
            outputs.plan = await self._plan(done[PREPROCESS])
            outputs.warnings += bounded(outputs.plan.warnings)
        outputs.transcripts = await asyncio.gather(
            *(self._transcript(unit) for unit in _best_transcripts(done.values()))
        )
        outputs.warnings += transcript_warnings(outputs.transcripts)
        if SUMMARY_REDUCE in done:
            result = await self._summary(done[SUMMARY_REDUCE])
            outputs.summary = result.summary
            outputs.warnings += bounded(result.warnings)
        return outputs

    async def _plan(self, unit: record.Unit) -> preprocess.PreprocessResult:
        return await self._stored.get(unit.output, preprocess.PreprocessResult)

    async def _transcript(self, unit: record.Unit) -> common.Transcript:
        return await self._stored.get(unit.output, common.Transcript)

    async def _summary(self, unit: record.Unit) -> summary.SummarizeResult:
        return await self._stored.get(unit.output, summary.SummarizeResult)


def _done(of: record.JobRecord) -> dict[str, record.Unit]:
    """The units that gave something, by name."""
    return {unit.unit: unit for unit in of.units if unit.state in HAS_OUTPUT}


def _best_transcripts(done: Iterable[record.Unit]) -> list[record.Unit]:
    """For each chunk the enhanced transcript, or the raw one where there is no other."""
    best: dict[int, record.Unit] = {}
    for unit in done:
        if unit.stage == common.STAGE_ENHANCEMENT or (
            unit.stage == common.STAGE_ASR and unit.index not in best
        ):
            best[unit.index] = unit
    return [best[index] for index in sorted(best)]


def _results(of: record.JobRecord, outputs: Outputs) -> job.JobResults:
    asked = set(of.config.features)
    results = job.JobResults(warnings=outputs.warnings)
    segments = _in_time(outputs.transcripts)
    raw = job.FEATURE_RAW_TRANSCRIPT in asked
    clean = job.FEATURE_CLEAN_TRANSCRIPT in asked
    is_cut = PREPROCESS in _done(of)
    if is_cut and (raw or clean):
        results.segments.extend(segments)
        results.suspect_texts.extend(suspect_texts(outputs.transcripts))
        results.unread.extend(unread_ranges(outputs.transcripts))
        if outputs.transcripts:
            results.language_code = outputs.transcripts[0].language_code
    if raw and is_cut:
        results.raw_transcript = "\n".join(segment.text for segment in segments)
    if clean and is_cut:
        results.clean_transcript = _paragraphs(segments)
    if outputs.summary is not None:
        results.summary.CopyFrom(outputs.summary)
    if job.FEATURE_ENHANCEMENT_METRICS in asked and outputs.transcripts:
        results.enhancement_metrics.CopyFrom(_enhancement(of, outputs))
    return results


def _in_time(transcripts: Iterable[common.Transcript]) -> list[common.Segment]:
    """The segments of all chunks, those of several channels or tracks interleaved by time."""
    segments = (segment for part in transcripts for segment in part.segments)
    return sorted(segments, key=lambda segment: segment.start_offset.ToNanoseconds())


def _paragraphs(segments: Iterable[common.Segment]) -> str:
    """The clean text; a silence, or another channel or track, begins a new paragraph."""
    paragraphs: list[list[str]] = []
    end, lane = 0.0, (0, 0)
    for segment in segments:
        start = segment.start_offset.ToNanoseconds() / 1e9
        before, lane = lane, (segment.track, segment.channel)
        if not paragraphs or lane != before or start - end > PARAGRAPH_PAUSE_SECONDS:
            paragraphs.append([])
        if text := segment.clean_text or segment.text:
            paragraphs[-1].append(text)
        end = segment.end_offset.ToNanoseconds() / 1e9
    return "\n\n".join(" ".join(paragraph) for paragraph in paragraphs)


def _enhancement(of: record.JobRecord, outputs: Outputs) -> job.EnhancementMetrics:
    skipped = any(
        unit.stage == common.STAGE_ENHANCEMENT and unit.state == job.UNIT_STATE_SKIPPED
        for unit in of.units
    )
    kept = [name for each in outputs.transcripts for name in each.kept_segment_ids]
    return job.EnhancementMetrics(
        edit_rate=edit_rate(outputs.transcripts) or 0.0, skipped=skipped, kept_segment_ids=kept
    )


def _versions(of: record.JobRecord, outputs: Outputs) -> job.JobVersions:
    versions = job.JobVersions(pipeline=of.pipeline_version)
    engines: list[tuple[common.Stage, common.EngineVersion]] = []
    if outputs.plan is not None:
        engines.append((common.STAGE_PREPROCESS, outputs.plan.vad_engine))
    engines += [(common.STAGE_ASR, part.asr_engine) for part in outputs.transcripts]
    engines += [
        (common.STAGE_ENHANCEMENT, part.enhancement_engine)
        for part in outputs.transcripts
        if part.HasField("enhancement_engine")
    ]
    if outputs.summary is not None:
        engines += [
            (common.STAGE_SUMMARY, engine)
            for engine in (*outputs.summary.part_engines, outputs.summary.engine)
        ]
    for stage, engine in engines:
        version = job.StageVersion(stage=stage, engine=engine)
        if version not in versions.stages:
            versions.stages.append(version)
    if of.template_sha256:
        versions.template.template_id = of.config.template_id
        versions.template.sha256 = of.template_sha256
    return versions
