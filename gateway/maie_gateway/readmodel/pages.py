"""Pages of jobs, newest first."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, select, tuple_, union_all

from maie.job.v1 import job_pb2 as job
from maie_gateway.readmodel.entries import microseconds, view_of
from maie_gateway.readmodel.paging import page_size
from maie_gateway.readmodel.tables import jobs, labels
from maie_gateway.readmodel.tokens import page_key, page_token
from maie_gateway.readmodel.words import storable

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000


def list_page(
    connection: Connection, tenant: str, request: job.ListJobsRequest
) -> job.ListJobsResponse:
    """A page of a tenant's jobs.

    Raises:
        StageError: INVALID_ARGUMENT with PAGE_TOKEN_INVALID or PAGE_SIZE_INVALID.
    """
    size = page_size(request.page_size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    key = page_key(request.page_token, (int, str), tenant, request) if request.page_token else None
    rows = connection.execute(_newest(tenant, request, key, size + 1)).all()
    page = job.ListJobsResponse(jobs=(view_of(row.view) for row in rows[:size]))
    if len(rows) > size:
        last = rows[size - 1]
        page.next_page_token = page_token((last.create_time, last.job_id), tenant, request)
    return page


def _newest(
    tenant: str, request: job.ListJobsRequest, key: list[Any] | None, limit: int
) -> Select[tuple[int, str, bytes]]:
    """The first jobs after a key.

    One query for each state, joined: each walks along an index and stops at the limit,
    where a query for several states would sort all of their jobs first.
    """
    states = sorted(set(request.states))
    if not states:
        return _walk(tenant, request, key, limit)
    walks = [
        select(_walk(tenant, request, key, limit).where(jobs.c.state == state).subquery())
        for state in states
    ]
    found = union_all(*walks).subquery()
    return (
        select(found.c.create_time, found.c.job_id, found.c.view)
        .order_by(found.c.create_time.desc(), found.c.job_id.desc())
        .limit(limit)
    )


def _walk(
    tenant: str, request: job.ListJobsRequest, key: list[Any] | None, limit: int
) -> Select[tuple[int, str, bytes]]:
    """Along one index, from the newest: that of the first label, or that of jobs."""
    wanted = {labels.alias(f"label_{i}"): pair for i, pair in enumerate(request.labels.items())}
    lead: FromClause = next(iter(wanted), jobs)
    joined: FromClause = lead
    for table in (*wanted, jobs):
        if table is not lead:
            joined = joined.join(table, table.c.number == lead.c.number)
    walk = (
        select(lead.c.create_time, lead.c.job_id, jobs.c.view)
        .select_from(joined)
        .where(jobs.c.tenant == tenant)
    )
    for label, (name, value) in wanted.items():
        walk = walk.where(
            label.c.tenant == tenant,
            label.c.key == storable(name),
            label.c.value == storable(value),
        )
    if key is not None:
        walk = walk.where(tuple_(lead.c.create_time, lead.c.job_id) < tuple_(*key))
    walk = walk.where(*_accepted(lead.c.create_time, request))
    return walk.order_by(lead.c.create_time.desc(), lead.c.job_id.desc()).limit(limit)


def _accepted(
    create_time: ColumnElement[int], request: job.ListJobsRequest
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if request.HasField("accepted_from"):
        conditions.append(create_time >= microseconds(request.accepted_from))
    if request.HasField("accepted_until"):
        conditions.append(create_time < microseconds(request.accepted_until))
    return conditions
