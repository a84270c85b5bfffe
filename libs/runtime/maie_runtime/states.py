"""Which states of a job are for good."""

from __future__ import annotations

from maie.job.v1 import job_pb2 as job

FINAL_STATES = frozenset({job.JOB_STATE_COMPLETE, job.JOB_STATE_FAILED, job.JOB_STATE_CANCELLED})
"""The states of a job in which nothing runs; only a person's retry leaves one."""
