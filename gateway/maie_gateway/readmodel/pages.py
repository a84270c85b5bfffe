"""Pages of jobs, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table, select, tuple_, union_all

from maie.job.v1 import job_pb2 as job
from maie_core.limits import MAX_PAGE_SIZE
from maie_gateway.readmodel.entries import view_of
from maie_gateway.readmodel.filters import accepted, has_labels, of_content
from maie_gateway.readmodel.paging import page_size
from maie_gateway.readmodel.tables import jobs, labels
from maie_gateway.readmodel.tokens import page_key, page_token
from maie_gateway.readmodel.words import storable

DEFAULT_PAGE_SIZE = 50


def list_page(
    connection: Connection, tenant: str, request: job.ListJobsRequest
) -> job.ListJobsResponse:
    """A page of a tenant's jobs.

    Raises:
        StageError: INVALID_ARGUMENT with PAGE_TOKEN_INVALID or PAGE_SIZE_INVALID.
    """
    size, key = asked_page(tenant, request)
    rows = connection.execute(_newest(tenant, request, key, size + 1)).all()
    page = job.ListJobsResponse(jobs=(view_of(row.view) for row in rows[:size]))
    if len(rows) > size:
        last = rows[size - 1]
        page.next_page_token = page_token((last.create_time, last.job_id), tenant, request)
    return page


def asked_page(tenant: str, request: job.ListJobsRequest) -> tuple[int, list[Any] | None]:
    """The size of the page that is asked for, and the key that it begins after.

    Raises:
        StageError: INVALID_ARGUMENT with PAGE_TOKEN_INVALID or PAGE_SIZE_INVALID.
    """
    size = page_size(request.page_size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    key = page_key(request.page_token, (int, str), tenant, request) if request.page_token else None
    return size, key


def _newest(
    tenant: str, request: job.ListJobsRequest, key: list[Any] | None, limit: int
) -> Select[tuple[int, str, bytes]]:
    """The first jobs after a key."""
    states = sorted(set(request.states))
    if request.labels:
        return _walk_labels(tenant, request, key, limit, states)
    if not states:
        return _walk_jobs(tenant, request, key, limit)
    # One query for each state, joined: each walks along an index and stops at the limit, where a
    # query for several states would sort all of their jobs first.
    walks = [
        select(_walk_jobs(tenant, request, key, limit).where(jobs.c.state == state).subquery())
        for state in states
    ]
    found = union_all(*walks).subquery()
    return (
        select(found.c.create_time, found.c.job_id, found.c.view)
        .order_by(found.c.create_time.desc(), found.c.job_id.desc())
        .limit(limit)
    )


def _walk_jobs(
    tenant: str, request: job.ListJobsRequest, key: list[Any] | None, limit: int
) -> Select[tuple[int, str, bytes]]:
    """Along the index of jobs, from the newest."""
    walk = select(jobs.c.create_time, jobs.c.job_id, jobs.c.view).where(jobs.c.tenant == tenant)
    return _from_newest(walk, jobs, request, key, limit)


def _walk_labels(
    tenant: str,
    request: job.ListJobsRequest,
    key: list[Any] | None,
    limit: int,
    states: Sequence[job.JobState],
) -> Select[tuple[int, str, bytes]]:
    """Along the index of the first label, from the newest.

    The others are counted for each job.
    """
    (name, value), *rest = request.labels.items()
    walk = (
        select(labels.c.create_time, labels.c.job_id, jobs.c.view)
        .join(jobs, jobs.c.number == labels.c.number)
        .where(labels.c.tenant == tenant, jobs.c.tenant == tenant)
        .where(labels.c.key == storable(name), labels.c.value == storable(value))
    )
    if rest:
        walk = walk.where(has_labels(labels.c.number, dict(rest)))
    if states:
        walk = walk.where(jobs.c.state.in_(states))
    return _from_newest(walk, labels, request, key, limit)


def _from_newest(
    walk: Select[tuple[int, str, bytes]],
    lead: Table,
    request: job.ListJobsRequest,
    key: list[Any] | None,
    limit: int,
) -> Select[tuple[int, str, bytes]]:
    if key is not None:
        walk = walk.where(tuple_(lead.c.create_time, lead.c.job_id) < tuple_(*key))
    walk = walk.where(*accepted(lead.c.create_time, request), *of_content(request))
    return walk.order_by(lead.c.create_time.desc(), lead.c.job_id.desc()).limit(limit)
