"""A job's events as they happen."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from litestar import Response
from litestar.background_tasks import BackgroundTask
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, HeaderParameter, QueryParameter
from litestar.response import Stream

from maie.job.v1 import job_pb2 as job
from maie_web.callers import CallersClient
from maie_web.event_streams import EventStreamsOfApp, Position, has_more
from maie_web.handlers import get

MEDIA_TYPE = "text/event-stream"
# Events are neither kept nor held back on the way; nginx collects what it passes on otherwise.
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}

LastEventId = Annotated[
    str,
    HeaderParameter(
        name="last-event-id",
        description="The id of the last event that came; only what follows is sent. Browsers send "
        "it when they connect again.",
    ),
]
AfterEventId = Annotated[
    str,
    QueryParameter(
        name="last_event_id",
        description="The same for a new EventSource, which sends no header of its own. With both, "
        "the header counts.",
    ),
]


@get(
    "/v1/jobs/{job_id:str}/events",
    summary="Follow a job",
    tags=["jobs"],
    media_type=MEDIA_TYPE,
    responses={
        HTTPStatus.OK: ResponseSpec(
            job.JobEvent, media_type=MEDIA_TYPE, description="The data of each event."
        ),
        HTTPStatus.NO_CONTENT: ResponseSpec(
            None, description="The reader has all events of a finished job."
        ),
    },
)
async def events(
    client: CallersClient,
    event_streams: EventStreamsOfApp,
    job_id: FromPath[str],
    last_event_id: LastEventId = "",
    after_event_id: AfterEventId = "",
) -> Response[None] | Stream:
    """A job's events as Server-Sent Events, up to `finished`.

    The name of an event is that of JobEvent's field, such as `state_changed`; its data is the
    JobEvent. Progress, segments and warnings have no id.
    """
    position = Position.parse(last_event_id or after_event_id)
    if not await has_more(client, job_id, position):
        return Response(None, status_code=HTTPStatus.NO_CONTENT)
    stream = event_streams.stream(client, job_id, position)
    return Stream(
        stream, media_type=MEDIA_TYPE, headers=HEADERS, background=BackgroundTask(stream.aclose)
    )
