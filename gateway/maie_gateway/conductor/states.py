"""Which states are for good."""

from __future__ import annotations

from maie.job.v1 import job_pb2 as job
from maie_runtime.states import FINAL_STATES

__all__ = ["ENDED_STATES", "FINAL_STATES", "GIVEN_UP_STATES", "RETRYABLE_STATES"]

RETRYABLE_STATES = FINAL_STATES - {job.JOB_STATE_COMPLETE}
"""The final states that a job can be taken up from again."""

GIVEN_UP_STATES = frozenset({job.UNIT_STATE_FAILED, job.UNIT_STATE_BLOCKED})
"""The states of a unit whose output will not be there, unless a person asks for a retry."""

ENDED_STATES = GIVEN_UP_STATES | {job.UNIT_STATE_COMPLETED, job.UNIT_STATE_SKIPPED}
"""The states of a unit that is over."""
