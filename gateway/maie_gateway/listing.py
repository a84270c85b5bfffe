"""Pages of jobs, newest first, straight from the records."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from maie.job.v1 import job_pb2 as job
from maie_gateway.conductor import job_view
from maie_gateway.store import JobStore
from maie_runtime.errors import StageError

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
# How many records are read at once.
READ_BATCH = 50


async def list_page(
    store: JobStore, tenant: str, request: job.ListJobsRequest
) -> job.ListJobsResponse:
    """A page of a tenant's jobs. Ids sort by time, so a page's token is its last job's id."""
    size = min(request.page_size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    ids = await store.ids()
    if request.page_token:
        ids = [job_id for job_id in ids if job_id < request.page_token]
    found: list[job.Job] = []
    for start in range(0, len(ids), READ_BATCH):
        read = await _read(store, ids[start : start + READ_BATCH], set(request.states))
        found += [view for view in read if view.tenant == tenant]
        if len(found) > size:
            break
    page = found[:size]
    more = page[-1].job_id if len(found) > size else ""
    return job.ListJobsResponse(jobs=page, next_page_token=more)


async def _read(store: JobStore, ids: Sequence[str], states: set[job.JobState]) -> list[job.Job]:
    shown = await asyncio.gather(*(_view(store, job_id) for job_id in ids))
    return [view for view in shown if view is not None and (not states or view.state in states)]


async def _view(store: JobStore, job_id: str) -> job.Job | None:
    try:
        return job_view((await store.get(job_id)).record)
    except StageError as error:
        if error.reason == "JOB_NOT_FOUND":  # deleted since the ids were read
            return None
        raise
