"""Corrected transcripts: revisions beside what was made."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Annotated

from litestar.params import FromPath, JSONBody, PathParameter, QueryParameter

from maie.edit.v1 import edit_pb2 as edit
from maie.job.v1 import job_pb2 as job
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_formats.from_json import from_dict
from maie_web.callers import CallersClient
from maie_web.handlers import get, post

TAGS = ["transcripts"]
MOST = 2**31 - 1

Number = Annotated[
    int, PathParameter(description="The revision; 0 is as it was made.", ge=0, le=MOST)
]
AskedRevision = Annotated[
    int | None,
    QueryParameter(
        name="revision",
        description="The revision of the transcript; 0 as it was made. The newest one where unset.",
        ge=0,
        le=MOST,
    ),
]


@dataclass(kw_only=True, frozen=True, slots=True)
class NewSegment:
    """A segment as somebody corrected it.

    Attributes:
        text: The text on one line; 1 to 10000 characters.
        start_offset: Where it begins, such as "12.300s"; where unset, as the words say.
        end_offset: Where it ends; where unset, as the words say.
        speaker: Who speaks: a speaker of the job, such as "S1", or the next new one; where unset,
            as the words say.
    """

    text: str
    start_offset: str | None = None
    end_offset: str | None = None
    speaker: str | None = None


@dataclass(kw_only=True, frozen=True, slots=True)
class Correction:
    """Segments of the base revision, and what is in their place.

    Attributes:
        segment_ids: The segments that are replaced, which follow each other.
        segments: What is in their place: none removes them, several split them.
    """

    segment_ids: list[str]
    segments: list[NewSegment] = field(default_factory=list)


@dataclass(kw_only=True, frozen=True, slots=True)
class Save:
    """A corrected transcript.

    Attributes:
        base_revision: The revision that was corrected, the newest one.
        edits: The corrections; 1 to 5000.
    """

    base_revision: int
    edits: list[Correction]


@dataclass(kw_only=True, frozen=True, slots=True)
class Revert:
    """A return to an older revision.

    Attributes:
        base_revision: The newest revision.
    """

    base_revision: int


@dataclass(kw_only=True, frozen=True, slots=True)
class NewSummary:
    """What to summarise again.

    Attributes:
        revision: The revision of the transcript; 0 as it was made, the newest one where unset.
        template_id: The template to fill; that of the job where empty.
    """

    revision: int | None = None
    template_id: str = ""


@get("/v1/jobs/{job_id:str}/revisions", summary="List revisions", tags=TAGS)
async def revisions(client: CallersClient, job_id: FromPath[str]) -> edit.ListRevisionsResponse:
    """Who saved the transcript and when, newest first, without the text."""
    return edit.ListRevisionsResponse(revisions=await client.revisions.list(job_id))


@post("/v1/jobs/{job_id:str}/revisions", summary="Save a revision", tags=TAGS)
async def save(client: CallersClient, job_id: FromPath[str], data: JSONBody[Save]) -> edit.Revision:
    """Saves a corrected transcript as the next revision; 409 where somebody saved meanwhile."""
    asked = {"edits": [_given(each) for each in data.edits]}
    try:
        request = from_dict(asked, edit.SaveRevisionRequest())
    except ValueError as error:
        raise invalid(
            Reason.EDIT_INVALID,
            'A correction cannot be read; times are seconds such as "12.300s".',
            field="edits",
        ) from error
    return await client.revisions.save(job_id, _number(data.base_revision), request.edits)


@get("/v1/jobs/{job_id:str}/revisions/{revision:int}", summary="Get a revision", tags=TAGS)
async def revision(
    client: CallersClient, job_id: FromPath[str], revision: Number
) -> edit.GetRevisionResponse:
    """A revision of the transcript with its segments."""
    return await client.revisions.get(job_id, revision)


@post(
    "/v1/jobs/{job_id:str}/revisions/{revision:int}/revert",
    summary="Revert to a revision",
    tags=TAGS,
    status_code=HTTPStatus.CREATED,
)
async def revert(
    client: CallersClient, job_id: FromPath[str], revision: Number, data: JSONBody[Revert]
) -> edit.Revision:
    """Saves a new revision that is equal to an older one; those between stay."""
    return await client.revisions.revert(job_id, _number(data.base_revision), revision)


@post(
    "/v1/jobs/{job_id:str}/summaries",
    summary="Summarise again",
    tags=TAGS,
    status_code=HTTPStatus.ACCEPTED,
)
async def summarize(
    client: CallersClient, job_id: FromPath[str], data: JSONBody[NewSummary]
) -> job.Job:
    """Summarises a revision in a job of its own, which is deleted with this one.

    So a corrected text, or another template, needs no upload.
    """
    number = None if data.revision is None else _number(data.revision, "revision")
    begun = await client.revisions.summarize(job_id, revision=number, template_id=data.template_id)
    return await client.get_job(begun)


def _given(correction: Correction) -> dict[str, object]:
    """A correction without what is not given."""
    segments = [
        {name: value for name, value in asdict(each).items() if value is not None}
        for each in correction.segments
    ]
    return {"segment_ids": correction.segment_ids, "segments": segments}


def _number(revision: int, field: str = "base_revision") -> int:
    if not 0 <= revision <= MOST:
        raise invalid(
            Reason.FIELD_INVALID,
            f"{field} is the number of a revision; list those there are.",
            field=field,
        )
    return revision
