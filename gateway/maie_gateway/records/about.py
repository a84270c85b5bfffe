"""Work on a job: its log lines have the job's ids, and its spans are in the job's trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import structlog

from maie.job.v1 import record_pb2 as record
from maie_core.trace_context import within
from maie_gateway.conductor.tenants import tenant_of_record
from maie_gateway.records.changes import JobChanges


@contextmanager
def about(source: record.JobRecord) -> Iterator[None]:
    """Work on a job, not around the `yield` of an asynchronous generator."""
    with about_job(source.job_id, tenant_of_record(source), source.traceparent):
        yield


@contextmanager
def about_job(job_id: str, tenant: str, traceparent: str) -> Iterator[None]:
    """The same, of a job whose ids are known and whose record is not at hand."""
    ids = structlog.contextvars.bound_contextvars(job=job_id, tenant=tenant)
    with ids, within(traceparent):
        yield


@contextmanager
def about_known(changes: JobChanges, job_id: str) -> Iterator[None]:
    """Work on a job whose record was not read yet: the ids that this gateway knows of it.

    Of a job that this gateway did not see for long, these are its id and, while it is not finished,
    its tenant.
    """
    stored, active = changes.recent(job_id), changes.active_jobs.get(job_id)
    with ExitStack() as stack:
        if stored is not None:
            stack.enter_context(about(stored.record))
        else:
            known = {"tenant": active.tenant} if active is not None else {}
            ids = structlog.contextvars.bound_contextvars(job=job_id, **known)
            stack.enter_context(ids)
        yield
