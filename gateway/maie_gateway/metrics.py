"""Figures about a job, from its record and its stored results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_gateway.conductor import job_view
from maie_gateway.job_warnings import unread_duration
from maie_runtime.durations import seconds

STAGES = (
    common.STAGE_PREPROCESS,
    common.STAGE_ASR,
    common.STAGE_ENHANCEMENT,
    common.STAGE_SUMMARY,
)


def job_metrics(
    of: record.JobRecord,
    plan: preprocess.PreprocessResult | None,
    transcripts: Sequence[common.Transcript],
) -> job.JobMetrics:
    """All figures that can be told by now."""
    metrics = job.JobMetrics()
    if plan is not None:
        metrics.input_duration.CopyFrom(plan.duration)
        metrics.quality.CopyFrom(plan.quality)
        metrics.source.CopyFrom(plan.source)
    view = job_view(of)
    if view.HasField("finish_time"):
        taken = view.finish_time.ToDatetime() - view.create_time.ToDatetime()
        metrics.processing_duration.FromTimedelta(taken)
        metrics.real_time_factor = _ratio(taken, metrics.input_duration.ToTimedelta())
    if (confidence := _confidence(transcripts)) is not None:
        metrics.asr_confidence = confidence
    if (rate := edit_rate(transcripts)) is not None:
        metrics.edit_rate = rate
    suspect = [text for transcript in transcripts for text in transcript.suspect_texts]
    metrics.suspect_text_count = len(suspect)
    metrics.removed_text_count = sum(text.removed for text in suspect)
    if unread := unread_duration(transcripts):
        metrics.unread_duration.FromTimedelta(unread)
    metrics.reread_count = sum(each.reread_count for each in transcripts)
    metrics.kept_segment_count = sum(len(each.kept_segment_ids) for each in transcripts)
    metrics.stages.extend(
        _stage_metrics(stage, units, plan)
        for stage in STAGES
        if (units := [unit for unit in of.units if unit.stage == stage and unit.attempt])
    )
    return metrics


def edit_rate(transcripts: Iterable[common.Transcript]) -> float | None:
    """The chunks' edit rates, each weighted by the longer of its two texts."""
    edits = characters = 0.0
    for transcript in transcripts:
        if transcript.HasField("edit_rate"):
            length = max(
                sum(len(segment.text) for segment in transcript.segments),
                sum(len(segment.clean_text) for segment in transcript.segments),
            )
            edits += transcript.edit_rate * length
            characters += length
    return edits / characters if characters else None


def _confidence(transcripts: Iterable[common.Transcript]) -> float | None:
    """The segments' confidences, each weighted by its duration."""
    total = spoken = 0.0
    for transcript in transcripts:
        for segment in transcript.segments:
            if segment.HasField("confidence"):
                length = seconds(segment.end_offset) - seconds(segment.start_offset)
                total += segment.confidence * length
                spoken += length
    return total / spoken if spoken else None


def _stage_metrics(
    stage: common.Stage, units: Sequence[record.Unit], plan: preprocess.PreprocessResult | None
) -> job.StageMetrics:
    done = [unit for unit in units if unit.state == job.UNIT_STATE_COMPLETED]
    processing = timedelta()
    for unit in done:
        processing += unit.metrics.processing_duration.ToTimedelta()
    audio = _audio_of(stage, done, plan)
    metrics = job.StageMetrics(
        stage=stage,
        units=len(done),
        attempts=sum(unit.attempt for unit in units),
        real_time_factor=_ratio(processing, audio),
    )
    metrics.audio_duration.FromTimedelta(audio)
    metrics.processing_duration.FromTimedelta(processing)
    return metrics


def _audio_of(
    stage: common.Stage, done: Sequence[record.Unit], plan: preprocess.PreprocessResult | None
) -> timedelta:
    """The audio that units cover: the whole recording, or their chunks of it."""
    if plan is None or not done:
        return timedelta()
    if stage in (common.STAGE_PREPROCESS, common.STAGE_SUMMARY):
        return plan.duration.ToTimedelta()
    covered = {unit.index for unit in done}
    total = timedelta()
    for chunk in plan.chunks:
        if chunk.index in covered:
            total += chunk.range.end_offset.ToTimedelta() - chunk.range.start_offset.ToTimedelta()
    return total


def _ratio(part: timedelta, whole: timedelta) -> float:
    return part / whole if whole else 0.0
