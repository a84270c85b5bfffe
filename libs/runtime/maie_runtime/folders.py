"""Folders of the object store. What is in one belongs to one owner and goes with it."""

from __future__ import annotations

JOBS = "jobs"
"""A folder for each job, with its recording, chunks and results."""
UPLOADS = "uploads"
"""A folder for each job that has a request id, with the recordings that came under that id."""
DIRECT_CALLS = "direct"
"""A folder for each direct call of a service, with what the service stored for its caller."""


def of_job(job_id: str) -> str:
    """The folder of a job."""
    return f"{JOBS}/{job_id}"


def of_uploads(job_id: str) -> str:
    """The folder of the recordings that came under a job's request id."""
    return f"{UPLOADS}/{job_id}"


def of_direct_call(call_id: str) -> str:
    """The folder of a direct call."""
    return f"{DIRECT_CALLS}/{call_id}"
