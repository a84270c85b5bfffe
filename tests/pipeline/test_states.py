"""The states of a job in the order in which it goes through them."""

from __future__ import annotations

import pytest

from maie.job.v1 import job_pb2 as job
from maie_pipeline.states import FINAL_STATES, rank

pytestmark = pytest.mark.unit


def test_every_state_of_the_contract_has_a_rank() -> None:
    known = set(job.JobState.values()) - {job.JOB_STATE_UNSPECIFIED}
    assert all(rank(state) > 0 for state in known)
    assert rank(job.JOB_STATE_UNSPECIFIED) == rank(99) == 0


def test_a_job_leaves_every_other_state_for_a_final_one_and_no_final_one() -> None:
    (last,) = {rank(state) for state in FINAL_STATES}
    assert all(rank(state) < last for state in set(job.JobState.values()) - FINAL_STATES)
