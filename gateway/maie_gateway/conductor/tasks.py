"""Makes the tasks of units."""

from __future__ import annotations

from collections.abc import Iterable

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.conductor.graph import Graph, stage_unknown
from maie_gateway.conductor.tenants import tenant_of_record
from maie_pipeline.bindings import StageBinding, binding_of
from maie_pipeline.states import FINAL_STATES
from maie_runtime.bus import subjects


def task_id(task: event.StageTask) -> str:
    """The task's message id in JetStream (`Nats-Msg-Id`): JOB/UNIT/ATTEMPT.

    Without the attempt, JetStream would drop a retry as a duplicate.
    """
    return f"{task.job_id}/{task.unit}/{task.attempt}"


def binding(task: event.StageTask) -> StageBinding:
    """The binding of a task's stage.

    Raises:
        StageError: FAILED_PRECONDITION with STAGE_UNKNOWN.
    """
    found = binding_of(task.stage)
    if found is None:
        raise stage_unknown(task.job_id, task.unit, task.stage)
    return found


def lane(source: record.JobRecord) -> str:
    """The lane of a job's tasks; batch unless the config asks for interactive."""
    interactive = source.config.lane == job.LANE_INTERACTIVE
    return subjects.INTERACTIVE if interactive else subjects.BATCH


def pending_tasks(source: record.JobRecord) -> list[event.StageTask]:
    """The tasks of all queued units, exactly as `advance` issued them.

    Some may be done or running already. To publish them again is safe: JetStream
    drops duplicate ids, and the conductor drops events of finished units.

    Returns:
        The tasks in the order of the record; none for a job that is finished or held.
    """
    if source.state in FINAL_STATES:
        return []
    graph = Graph(source)
    return make_tasks(source, graph, (u for u in source.units if u.state == job.UNIT_STATE_QUEUED))


def dead_letters(old: record.JobRecord | None, new: record.JobRecord) -> list[event.DeadLetter]:
    """The dead letters of the units that failed between two versions of a record.

    Args:
        old: The record before; None where it is unknown which letters were
            published: then all are returned, with the same ids as before.
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
        if unit.state == job.UNIT_STATE_FAILED
        and (unit.unit, unit.attempt) not in given_up_before
        # A complete job cannot be retried, so nobody could replay it.
        and not unit.is_optional
        and graph.node(unit).has_tasks
    ]


def make_tasks(
    source: record.JobRecord, graph: Graph, units: Iterable[record.Unit]
) -> list[event.StageTask]:
    """The tasks of queued units, but for those that no worker runs.

    Raises:
        StageError: FAILED_PRECONDITION with PIPELINE_UNKNOWN or STAGE_UNKNOWN.
    """
    return [make_task(source, graph, unit) for unit in units if graph.node(unit).has_tasks]


def make_task(source: record.JobRecord, graph: Graph, unit: record.Unit) -> event.StageTask:
    """The task of a queued unit that a worker runs.

    Raises:
        StageError: FAILED_PRECONDITION with PIPELINE_UNKNOWN or STAGE_UNKNOWN.
        ValueError: No worker runs it.
    """
    node = graph.node(unit)
    if node.request is None:
        raise ValueError(f"No task runs {unit.unit}.")
    needs = graph.needs(unit)
    task = event.StageTask(
        job_id=source.job_id,
        unit=unit.unit,
        attempt=unit.attempt,
        report_start=node.begins,
        traceparent=source.traceparent,
        stage=unit.stage,
        tenant=tenant_of_record(source),
        earlier_span_ids=_spans([*needs, unit]),
    )
    if unit.HasField("pause"):
        task.pause.CopyFrom(unit.pause)
    binding(task).set_request(task, node.request(source, unit, needs))
    return task


def _spans(units: Iterable[record.Unit]) -> list[bytes]:
    """The spans of what ended last of each of these units, as far as they were recorded."""
    return list(dict.fromkeys(unit.span_id for unit in units if unit.span_id))
