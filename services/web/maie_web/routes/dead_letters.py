"""Dead letters: units of the tenant's jobs that were given up."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from litestar.params import FromPath, PathParameter, QueryParameter

from maie.job.v1 import job_pb2 as job
from maie_web.callers import CallersClient
from maie_web.handlers import get, post
from maie_web.routes.jobs import PageSize, PageToken

TAGS = ["dead letters"]
Letter = Annotated[int, PathParameter(description="The letter's id.", ge=0, le=2**63 - 1)]


@get("/v1/dead-letters", summary="List dead letters", tags=TAGS)
async def letters(
    client: CallersClient,
    job_id: Annotated[str, QueryParameter(description="Only of this job.")] = "",
    page_size: PageSize = 0,
    page_token: PageToken = "",
) -> job.ListDeadLettersResponse:
    """A page of units and webhooks that were given up, newest first."""
    request = job.ListDeadLettersRequest(job_id=job_id, page_size=page_size, page_token=page_token)
    found: job.ListDeadLettersResponse = await client.page(request)
    return found


@post(
    "/v1/dead-letters/{letter_id:int}/replay",
    summary="Replay a dead letter",
    tags=TAGS,
    status_code=HTTPStatus.OK,
)
async def replay(client: CallersClient, letter_id: FromPath[Letter]) -> job.Job:
    """Tries a unit or a webhook again that was given up."""
    return await client.replay_dead_letter(letter_id)
