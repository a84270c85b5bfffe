"""Folders of the object store. Each has one owner and is deleted with it."""

from __future__ import annotations

JOBS = "jobs"
"""A folder for each job, with its recording, chunks and results."""
UPLOADS = "uploads"
"""A folder for each job with a request id, with the recordings of that id."""
DIRECT_CALLS = "direct"
"""A folder for each direct call of a service, with its results."""
LIVE = "live"
"""A folder for each live session that keeps its audio, with the parts until they are together."""
PARTS = "parts"
"""A folder for each resumable upload, with its bytes until it is a job of the same id."""
OF_JOBS = (JOBS, UPLOADS, LIVE, PARTS)
"""The folders whose folders belong to a job each."""


def of_job(job_id: str) -> str:
    """The folder of a job."""
    return f"{JOBS}/{job_id}"


def of_uploads(job_id: str) -> str:
    """The folder of the recordings of a job's request id."""
    return f"{UPLOADS}/{job_id}"


def of_live(job_id: str) -> str:
    """The folder of the parts of a live session's audio."""
    return f"{LIVE}/{job_id}"


def of_parts(upload_id: str) -> str:
    """The folder of the bytes of a resumable upload."""
    return f"{PARTS}/{upload_id}"


def all_of_job(job_id: str) -> tuple[str, ...]:
    """The folders that are deleted with a job."""
    return (of_job(job_id), of_uploads(job_id), of_live(job_id), of_parts(job_id))


def job_of(key: str) -> str:
    """The job that an object belongs to, by its key or the beginning of it; empty for none."""
    folder, _, rest = key.partition("/")
    return rest.partition("/")[0] if folder in OF_JOBS else ""


def of_direct_call(call_id: str) -> str:
    """The folder of a direct call."""
    return f"{DIRECT_CALLS}/{call_id}"
