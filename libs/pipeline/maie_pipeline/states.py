"""The states of jobs and of units: which are final, and in which order a job goes through them."""

from __future__ import annotations

from collections.abc import Mapping

from maie.job.v1 import job_pb2 as job

FINAL_STATES = frozenset({job.JOB_STATE_COMPLETE, job.JOB_STATE_FAILED, job.JOB_STATE_CANCELLED})
"""The states of a job in which nothing runs; only a person's retry leaves one."""

RETRYABLE_STATES = FINAL_STATES - {job.JOB_STATE_COMPLETE}
"""The final states that a job can be taken up from again."""

GIVEN_UP_STATES = frozenset({job.UNIT_STATE_FAILED, job.UNIT_STATE_BLOCKED})
"""The states of a unit whose output will not be there, unless a person asks for a retry."""

ENDED_STATES = GIVEN_UP_STATES | {job.UNIT_STATE_COMPLETED, job.UNIT_STATE_SKIPPED}
"""The states of a unit that is over."""

_ORDER = (
    job.JOB_STATE_PENDING,
    job.JOB_STATE_PREPROCESSING,
    job.JOB_STATE_PROCESSING_ASR,
    job.JOB_STATE_PROCESSING_LLM,
)
_RANKS: Mapping[int, int] = {
    **{state: rank for rank, state in enumerate(_ORDER, start=1)},
    **dict.fromkeys(FINAL_STATES, len(_ORDER) + 1),
}


def rank(state: int) -> int:
    """The place of a state on a job's way; a job never goes to a state of a lower or equal rank.

    Args:
        state: A JobState.

    Returns:
        1 for the first state; the same highest number for all final states. 0 for
        a state that this version does not know, so that a job can leave it for any.
    """
    return _RANKS.get(state, 0)
