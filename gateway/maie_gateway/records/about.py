"""Work on a job: its log lines have the job's ids, and its spans are in the job's trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from maie.job.v1 import record_pb2 as record
from maie_core.trace_context import within
from maie_gateway.conductor.tenants import tenant_of_record


@contextmanager
def about(source: record.JobRecord) -> Iterator[None]:
    """Work on a job, not around the `yield` of an asynchronous generator."""
    ids = structlog.contextvars.bound_contextvars(
        job=source.job_id, tenant=tenant_of_record(source)
    )
    with ids, within(source.traceparent):
        yield
