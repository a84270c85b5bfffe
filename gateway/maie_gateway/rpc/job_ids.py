"""The job that a request names."""

from __future__ import annotations

from maie_core.errors import invalid
from maie_core.names import is_uuid
from maie_core.reasons import Reason
from maie_gateway.audit.about import is_about


def checked_job_id(job_id: str) -> str:
    """A job's id as it is, noted as what the call is about.

    Raises:
        StageError: As `check_job_id`.
    """
    check_job_id(job_id)
    is_about(job_id=job_id)
    return job_id


def check_job_id(job_id: str) -> None:
    """Checks the id of a job.

    Raises:
        StageError: INVALID_ARGUMENT with JOB_ID_INVALID.
    """
    if not is_uuid(job_id):
        raise invalid(
            Reason.JOB_ID_INVALID,
            "A job id is a UUID in lower case; `maie jobs list` shows those there are.",
            field="job_id",
        )
