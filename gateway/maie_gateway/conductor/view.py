"""A job as clients see it, without its results."""

from __future__ import annotations

from collections.abc import Iterator

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_pipeline.pipelines import pipeline_of
from maie_pipeline.states import ENDED_STATES, FINAL_STATES


def job_view(source: record.JobRecord) -> job.Job:
    """The job with its progress, failures and times, and without secrets.

    Results, metrics and versions are not set: they need the stored outputs.
    A retried job has no finish time until it is final again.
    """
    changes = [entry.event_time for entry in source.log if entry.HasField("state_changed")]
    view = job.Job(
        job_id=source.job_id,
        state=source.state,
        config=source.config,
        create_time=changes[0],
        update_time=changes[-1],
        progress=_progress(source),
        failures=failures(source),
        tenant=source.tenant,
        display_name=source.display_name,
        labels=source.labels,
        newest_revision=len(source.revisions),
        origin=source.origin if source.HasField("origin") else None,
        summary_job_ids=source.summary_job_ids,
        recording_sha256=source.recording.sha256,
    )
    for webhook in view.config.webhooks:
        webhook.ClearField("secret")
    if source.state in FINAL_STATES:
        view.finish_time.CopyFrom(changes[-1])
    return view


def stage_progress(
    source: record.JobRecord, stage: common.Stage, running: float = 0.0
) -> job.StageProgress:
    """The progress of a stage of a job.

    Args:
        source: The job's record.
        stage: The stage.
        running: The sum of the fractions of its unfinished units.
    """
    states = [unit.state for unit in source.units if unit.stage == stage]
    ended = sum(state in ENDED_STATES for state in states)
    # Once the recording is cut, a stage without units is done: there is no speech.
    empty = 1.0 if source.HasField("facts") else 0.0
    return job.StageProgress(
        stage=stage,
        fraction=min((ended + running) / len(states), 1.0) if states else empty,
        ended_units=ended,
        total_units=len(states),
    )


def failures(source: record.JobRecord) -> Iterator[common.Failure]:
    """The failures of a job's units, but for optional ones, without which a job does not fail."""
    for unit in source.units:
        if unit.HasField("failure") and not unit.is_optional:
            yield unit.failure


def _progress(source: record.JobRecord) -> list[job.StageProgress]:
    """One entry for each stage of the job, in pipeline order."""
    pipeline = pipeline_of(source)
    # For a pipeline of a later release, only the stages of the existing units are known.
    known = pipeline.stages(source.config, source.added_features) if pipeline else ()
    stages = dict.fromkeys((*known, *(unit.stage for unit in source.units)))
    return [stage_progress(source, stage) for stage in stages]
