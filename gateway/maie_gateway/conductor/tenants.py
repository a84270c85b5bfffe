"""The tenant of a job."""

from __future__ import annotations

from maie.job.v1 import record_pb2 as record

DEFAULT_TENANT = "default"
"""The tenant of a call that names none."""


def tenant_of_record(source: record.JobRecord) -> str:
    """The tenant of a job's record."""
    return source.tenant or DEFAULT_TENANT
