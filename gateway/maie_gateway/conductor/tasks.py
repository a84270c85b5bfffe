"""Tasks: what a unit's worker is told."""

from __future__ import annotations

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.enhancement.v1 import enhancement_pb2 as enhancement
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie.summary.v1 import summary_pb2 as summary
from maie_gateway.conductor.graph import SUMMARY_REDUCE, Graph
from maie_pipeline.states import FINAL_STATES
from maie_runtime import subjects


def task_id(task: event.StageTask) -> str:
    """The task's name in JetStream (`Nats-Msg-Id`): JOB/UNIT/ATTEMPT.

    The attempt is in it, or a retry would be dropped as a duplicate.
    """
    return f"{task.job_id}/{task.unit}/{task.attempt}"


def lane(source: record.JobRecord) -> str:
    """The lane that all tasks of a job wait in; batch unless somebody waits for it."""
    interactive = source.config.lane == job.LANE_INTERACTIVE
    return subjects.INTERACTIVE if interactive else subjects.BATCH


def pending_tasks(source: record.JobRecord) -> list[event.StageTask]:
    """The tasks of all queued units, exactly as `advance` issued them.

    Some may be done or in hand already: their ids, and the dropping of what a
    finished unit sends again, make it safe to publish them once more.

    Returns:
        The tasks in the order of the record; none for a job that is finished or
        waits for its turn.
    """
    if source.state in FINAL_STATES:
        return []
    graph = Graph(source)
    return [make_task(source, graph, u) for u in source.units if u.state == job.UNIT_STATE_QUEUED]


def dead_letters(old: record.JobRecord | None, new: record.JobRecord) -> list[event.DeadLetter]:
    """The units that were given up between two states of a record, with their last task.

    Args:
        old: The record before; None where it is unknown which letters were
            published, so that all are published again under the same ids.
        new: The record now.
    """
    before = old.units if old is not None else ()
    given_up_before = {(u.unit, u.attempt) for u in before if u.state == job.UNIT_STATE_FAILED}
    graph = Graph(new)
    return [
        event.DeadLetter(
            task=make_task(new, graph, unit), failure=unit.failure, dead_time=new.log[-1].event_time
        )
        for unit in new.units
        if unit.state == job.UNIT_STATE_FAILED and (unit.unit, unit.attempt) not in given_up_before
    ]


def make_task(source: record.JobRecord, graph: Graph, unit: record.Unit) -> event.StageTask:
    """The task of a queued unit."""
    task = event.StageTask(
        job_id=source.job_id,
        unit=unit.unit,
        attempt=unit.attempt,
        report_start=unit.stage == common.STAGE_PREPROCESS,
        traceparent=source.traceparent,
    )
    if unit.HasField("pause"):
        task.pause.CopyFrom(unit.pause)
    needs = graph.needs(unit)
    match unit.stage:
        case common.STAGE_PREPROCESS:
            task.preprocess.CopyFrom(_preprocess(source))
        case common.STAGE_ASR:
            task.asr.CopyFrom(_asr(source, needs[0].output, unit.index))
        case common.STAGE_ENHANCEMENT:
            task.enhancement.CopyFrom(_enhancement(source, needs[0].output))
        case _:
            task.summary.CopyFrom(_summary(source, unit, needs))
    return task


def _preprocess(source: record.JobRecord) -> preprocess.PreprocessRequest:
    request = preprocess.PreprocessRequest(recording=source.recording, asr_slots=source.asr_slots)
    if source.config.HasField("chunk_duration"):
        request.chunk_duration.CopyFrom(source.config.chunk_duration)
    if source.config.HasField("recording_options"):
        request.recording_options.CopyFrom(source.config.recording_options)
    return request


def _asr(source: record.JobRecord, plan: common.Blob, index: int) -> asr.TranscribeRequest:
    return asr.TranscribeRequest(
        chunk=asr.ChunkReference(plan=plan, index=index), options=source.config.asr_options
    )


def _enhancement(source: record.JobRecord, transcript: common.Blob) -> enhancement.EnhanceRequest:
    request = enhancement.EnhanceRequest(transcript_blob=transcript)
    if source.config.HasField("enhancement_generation"):
        request.generation.CopyFrom(source.config.enhancement_generation)
    return request


def _summary(
    source: record.JobRecord, unit: record.Unit, needs: list[record.Unit]
) -> summary.SummarizeRequest:
    request = summary.SummarizeRequest(template_blob=source.template)
    if unit.unit != SUMMARY_REDUCE:
        request.map.CopyFrom(needs[0].output)
    elif needs and needs[0].stage != common.STAGE_SUMMARY:
        request.whole.CopyFrom(needs[0].output)
    else:
        request.reduce.CopyFrom(summary.ReduceSource(parts=[need.output for need in needs]))
    if source.config.HasField("summary_generation"):
        request.generation.CopyFrom(source.config.summary_generation)
    return request
