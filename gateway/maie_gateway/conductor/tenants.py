"""Whose a job is."""

from __future__ import annotations

from maie.job.v1 import record_pb2 as record

DEFAULT_TENANT = "default"
"""Who calls where a call names no tenant."""


def tenant_of_record(source: record.JobRecord) -> str:
    """The tenant that a job belongs to."""
    return source.tenant or DEFAULT_TENANT
