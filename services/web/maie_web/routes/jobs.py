"""Jobs: lists, states and results, and what can be done with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated

from litestar.params import FromPath, JSONBody, QueryParameter

from maie.job.v1 import job_pb2 as job
from maie_web.callers import CallersClient
from maie_web.handlers import delete, get, patch, post
from maie_web.routes.filters import FILTERS, FilterFields
from maie_web.routes.revisions import AskedRevision

TAGS = ["jobs"]

PageSize = Annotated[
    int,
    QueryParameter(
        description="The most to return; 0: as many as the gateway chooses.", ge=0, le=1000
    ),
]
PageToken = Annotated[
    str, QueryParameter(description="Where to go on: the next_page_token of the page before.")
]


@dataclass(kw_only=True, frozen=True, slots=True)
class Change:
    """What to change of a job.

    Attributes:
        display_name: The name from now on; as it was where unset.
        labels: Labels to set, by key; an empty value removes one.
        speaker_names: Names to give to speakers, by "S1" and so on; an empty one
            removes it.
    """

    display_name: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    speaker_names: dict[str, str] = field(default_factory=dict)


@get("/v1/jobs", summary="List jobs", tags=TAGS, dependencies=FILTERS)
async def list_jobs(
    client: CallersClient,
    filters: FilterFields,
    page_size: PageSize = 0,
    page_token: PageToken = "",
) -> job.ListJobsResponse:
    """A page of jobs, newest first, without results."""
    request = job.ListJobsRequest(**filters, page_size=page_size, page_token=page_token)
    found: job.ListJobsResponse = await client.page(request)
    return found


@get("/v1/search", summary="Search transcripts and summaries", tags=TAGS, dependencies=FILTERS)
async def search(
    client: CallersClient,
    q: Annotated[
        str,
        QueryParameter(
            description='Words that must all be there; "in quotes" as they stand; with a star, a '
            "beginning (releas*)."
        ),
    ],
    filters: FilterFields,
    page_size: PageSize = 0,
    page_token: PageToken = "",
) -> job.SearchJobsResponse:
    """A page of jobs in which words were said or summarised, best first, with the moments."""
    request = job.SearchJobsRequest(query=q, **filters, page_size=page_size, page_token=page_token)
    found: job.SearchJobsResponse = await client.page(request)
    return found


@get(["/v1/jobs/{job_id:str}", "/v1/status/{job_id:str}"], summary="Get a job", tags=TAGS)
async def get_job(
    client: CallersClient, job_id: FromPath[str], revision: AskedRevision = None
) -> job.Job:
    """A job: its state, and the results, metrics and versions that there are so far."""
    return await client.get_job(job_id, revision)


@get("/v1/jobs/{job_id:str}/timeline", summary="Get a job's timeline", tags=TAGS)
async def timeline(client: CallersClient, job_id: FromPath[str]) -> job.Timeline:
    """Where a job's time went: each attempt at each of its units."""
    return await client.get_timeline(job_id)


@post("/v1/jobs/{job_id:str}/cancel", summary="Cancel a job", tags=TAGS, status_code=HTTPStatus.OK)
async def cancel(client: CallersClient, job_id: FromPath[str]) -> job.Job:
    """Cancels a job; one that has ended stays as it is."""
    return await client.cancel_job(job_id)


@post("/v1/jobs/{job_id:str}/retry", summary="Retry a job", tags=TAGS, status_code=HTTPStatus.OK)
async def retry(client: CallersClient, job_id: FromPath[str]) -> job.Job:
    """Takes up a job that failed or was cancelled; what is there is not made again."""
    return await client.retry_job(job_id)


@patch("/v1/jobs/{job_id:str}", summary="Change a job", tags=TAGS)
async def update(client: CallersClient, job_id: FromPath[str], data: JSONBody[Change]) -> job.Job:
    """Changes a job's name, its labels, or what its speakers are called."""
    return await client.update_job(
        job_id,
        display_name=data.display_name,
        labels=data.labels,
        speaker_names=data.speaker_names,
    )


@delete("/v1/jobs/{job_id:str}", summary="Delete a job", tags=TAGS)
async def remove(client: CallersClient, job_id: FromPath[str]) -> None:
    """Deletes a job with all of its data; cancels it first if it runs."""
    await client.delete_job(job_id)
