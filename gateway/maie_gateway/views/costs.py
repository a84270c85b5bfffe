"""What a job and its stages cost, from its record and the plan of its recording."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_pipeline.nodes import Scope
from maie_pipeline.pipelines import pipeline_of


def show_costs(
    shown: job.Job, of: record.JobRecord, plan: preprocess.PreprocessResult | None
) -> None:
    """Adds what the job cost to its metrics.

    Args:
        shown: The job, with its times.
        of: Its record.
        plan: The plan of its recording; None where it has none, or not yet.
    """
    if plan is None and of.facts.HasField("duration"):
        # Of a live session, which no unit measured.
        shown.metrics.input_duration.CopyFrom(of.facts.duration)
    if shown.HasField("finish_time"):
        taken = shown.finish_time.ToDatetime() - shown.create_time.ToDatetime()
        shown.metrics.processing_duration.FromTimedelta(taken)
        whole = plan.duration.ToTimedelta() if plan else of.facts.duration.ToTimedelta()
        shown.metrics.real_time_factor = _ratio(taken, whole)
    # A unit comes after all that it needs: the stages are in the order of the work.
    for stage in dict.fromkeys(unit.stage for unit in of.units):
        if units := [unit for unit in of.units if unit.stage == stage and unit.attempt]:
            shown.metrics.stages.append(_stage_metrics(of, stage, units, plan))


def _stage_metrics(
    of: record.JobRecord,
    stage: common.Stage,
    units: Sequence[record.Unit],
    plan: preprocess.PreprocessResult | None,
) -> job.StageMetrics:
    done = [unit for unit in units if unit.state == job.UNIT_STATE_COMPLETED]
    processing = timedelta()
    for unit in done:
        processing += unit.metrics.processing_duration.ToTimedelta()
    if plan is None or not done:
        audio = timedelta()
    elif _covers_all(of, stage):
        audio = plan.duration.ToTimedelta()
    else:
        audio = _audio_of_chunks(plan, {unit.index for unit in done})
    metrics = job.StageMetrics(
        stage=stage,
        units=len(done),
        attempts=sum(unit.attempt for unit in units),
        real_time_factor=_ratio(processing, audio),
    )
    metrics.audio_duration.FromTimedelta(audio)
    metrics.processing_duration.FromTimedelta(processing)
    return metrics


def _covers_all(of: record.JobRecord, stage: common.Stage) -> bool:
    """Whether a stage has units that cover the whole recording."""
    pipeline = pipeline_of(of)
    nodes = [node for node in pipeline.nodes if node.stage == stage] if pipeline else []
    return any(node.scope is not Scope.CHUNK for node in nodes)


def _audio_of_chunks(plan: preprocess.PreprocessResult, covered: set[int]) -> timedelta:
    total = timedelta()
    for chunk in plan.chunks:
        if chunk.index in covered:
            total += chunk.range.end_offset.ToTimedelta() - chunk.range.start_offset.ToTimedelta()
    return total


def _ratio(part: timedelta, whole: timedelta) -> float:
    return part / whole if whole else 0.0
