"""Names for the contract's enums."""

from __future__ import annotations

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_formats.as_json import enum_name
from maie_pipeline.bindings import BINDINGS

STATES: tuple[job.JobState, ...] = (
    job.JOB_STATE_PENDING,
    job.JOB_STATE_PREPROCESSING,
    job.JOB_STATE_PROCESSING_ASR,
    job.JOB_STATE_PROCESSING_LLM,
    job.JOB_STATE_COMPLETE,
    job.JOB_STATE_FAILED,
    job.JOB_STATE_CANCELLED,
)
"""The states in the order of a job's life."""
STAGES: tuple[common.Stage, ...] = tuple(binding.stage for binding in BINDINGS.values())
"""The stages in pipeline order."""


def state_name(state: job.JobState) -> str:
    """A state's name, such as "PROCESSING_ASR"."""
    return enum_name(job.JobState.DESCRIPTOR, state)


def stage_name(stage: common.Stage) -> str:
    """A stage's name, such as "asr"."""
    return enum_name(common.Stage.DESCRIPTOR, stage)
