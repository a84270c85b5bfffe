"""Jobs: lists, states and results, and what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from litestar.params import FromPath, JSONBody, QueryParameter

from maie.job.v1 import job_pb2 as job
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_formats.from_json import from_dict
from maie_web.callers import CallersClient
from maie_web.handlers import delete, get, patch, post
from maie_web.routes.revisions import AskedRevision

TAGS = ["jobs"]

States = Annotated[
    list[str] | None,
    QueryParameter(name="state", description="Only jobs in one of these states, such as COMPLETE."),
]
Labels = Annotated[
    list[str] | None,
    QueryParameter(name="label", description="Only jobs with this label, as KEY=VALUE."),
]
AcceptedFrom = Annotated[
    datetime | None,
    QueryParameter(description="Only jobs that were accepted at this time or later."),
]
AcceptedUntil = Annotated[
    datetime | None, QueryParameter(description="Only jobs that were accepted before this time.")
]
Recording = Annotated[
    str,
    QueryParameter(
        name="recording",
        description="Only jobs of this recording, by the field `recording_sha256` of a job.",
    ),
]
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


@get("/v1/jobs", summary="List jobs", tags=TAGS)
async def list_jobs(
    client: CallersClient,
    states: States = None,
    labels: Labels = None,
    accepted_from: AcceptedFrom = None,
    accepted_until: AcceptedUntil = None,
    recording: Recording = "",
    page_size: PageSize = 0,
    page_token: PageToken = "",
) -> job.ListJobsResponse:
    """A page of jobs, newest first, without results."""
    asked = {"states": states or [], "labels": _labels(labels or ())}
    try:
        request = from_dict(asked, job.ListJobsRequest())
    except ValueError as error:
        raise invalid(
            Reason.FIELD_INVALID,
            "There is no such state; use those of the field `state` of jobs, such as COMPLETE.",
            field="state",
        ) from error
    request.page_size, request.page_token = page_size, page_token
    request.recording_sha256 = recording
    if accepted_from:
        request.accepted_from.FromDatetime(accepted_from)
    if accepted_until:
        request.accepted_until.FromDatetime(accepted_until)
    found: job.ListJobsResponse = await client.page(request)
    return found


@get("/v1/search", summary="Search transcripts and summaries", tags=TAGS)
async def search(
    client: CallersClient,
    q: Annotated[
        str,
        QueryParameter(
            description='Words that must all be there; "in quotes" as they stand; with a star, a '
            "beginning (releas*)."
        ),
    ],
    page_size: PageSize = 0,
    page_token: PageToken = "",
) -> job.SearchJobsResponse:
    """A page of jobs in which words were said or summarised, best first, with the moments."""
    request = job.SearchJobsRequest(query=q, page_size=page_size, page_token=page_token)
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


def _labels(pairs: Sequence[str]) -> dict[str, str]:
    labels = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise invalid(
                Reason.FIELD_INVALID, "A label is written KEY=VALUE; write it so.", field="label"
            )
        labels[key] = value
    return labels
