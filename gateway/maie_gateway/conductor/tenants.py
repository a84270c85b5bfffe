"""The tenant of a job."""

from __future__ import annotations

from maie.job.v1 import record_pb2 as record
from maie_core.caller import DEFAULT_TENANT


def tenant_of_record(source: record.JobRecord) -> str:
    """The tenant of a job's record."""
    return source.tenant or DEFAULT_TENANT
