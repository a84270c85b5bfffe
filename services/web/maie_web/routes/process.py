"""Recordings in: a form with a file becomes a job while it is uploaded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from litestar import Request, Response, post
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
)
from litestar.params import HeaderParameter

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from maie_client.text import sendable_name
from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_formats.from_json import from_dict
from maie_web.callers import CallersClient
from maie_web.forms import Form

# What a client that is refused has sent meanwhile is read and dropped for so long, so that it gets
# the answer before its connection is closed.
LINGER_SECONDS = 5.0
# A file that comes first is accepted for this; what counts is checked at the end.
UNKNOWN_YET = (job.FEATURE_RAW_TRANSCRIPT,)
_OWN_FIELDS = ("features", "template_id", "display_name", "options")

RequestId = Annotated[
    str,
    HeaderParameter(
        name="idempotency-key",
        description="Names the upload, so that it can be sent again: the same key gives the same "
        "job.",
    ),
]


@dataclass
class ProcessOperation(Operation):
    """Describes the form, which is read as it comes and not by the framework."""

    def __post_init__(self) -> None:
        """Adds the form to the operation."""
        text = Schema(type=OpenAPIType.STRING)
        self.request_body = RequestBody(
            required=True,
            content={
                "multipart/form-data": OpenAPIMediaType(
                    schema=Schema(
                        type=OpenAPIType.OBJECT,
                        required=["file"],
                        properties={
                            "file": Schema(
                                type=OpenAPIType.STRING,
                                content_media_type="application/octet-stream",
                                description="The recording.",
                            ),
                            "features": Schema(
                                type=OpenAPIType.ARRAY,
                                items=text,
                                description="What to make, by names: several fields, or one with "
                                "commas. Clean transcript and summary where none is named.",
                                examples=["clean_transcript,summary"],
                            ),
                            "template_id": Schema(
                                type=OpenAPIType.STRING,
                                description="The template that the summary fills.",
                                examples=["meeting_notes_v1"],
                            ),
                            "display_name": Schema(
                                type=OpenAPIType.STRING,
                                description="What people call the job; the file's name if unset.",
                            ),
                            "options": Schema(
                                type=OpenAPIType.STRING,
                                description="Everything else of JobConfig, as JSON.",
                                examples=['{"asr_options": {"language_code": "de"}}'],
                            ),
                        },
                    )
                )
            },
        )


@post(
    "/v1/process",
    summary="Process a recording",
    tags=["jobs"],
    status_code=HTTPStatus.ACCEPTED,
    operation_class=ProcessOperation,
)
async def process(
    request: Request, client: CallersClient, request_id: RequestId = ""
) -> Response[job.Job]:
    """Takes a recording and returns its job as soon as it is stored.

    The recording is passed on as it comes. Fields may be in any order; with those before the file,
    a wrong one is refused before the upload.
    """
    form = Form(request.headers.get("content-type", ""), request.stream())
    try:
        accepted = await submit(client, form, request_id)
    except (ClientError, StageError):
        await _linger(request)
        raise
    headers = {"location": f"/v1/jobs/{accepted.job_id}"}
    return Response(accepted, status_code=HTTPStatus.ACCEPTED, headers=headers)


async def submit(client: Client, form: Form, request_id: str) -> job.Job:
    """Makes a job of a form.

    Raises:
        StageError: INVALID_ARGUMENT: the form lacks the file, or a field is wrong.
        ClientError: The gateway's error.
    """
    if not await form.until_file():
        raise invalid(
            Reason.REQUEST_UNREADABLE,
            "The form has no file; send the recording in the field `file`.",
            field="file",
        )
    first = config_of(form, request_id)
    if not first.template_id and (not first.features or job.FEATURE_SUMMARY in first.features):
        del first.features[:]
        first.features.extend(UNKNOWN_YET)

    def last() -> job.JobConfig | None:
        config = config_of(form, request_id)
        return None if config == first else config

    async with aclosing(form.file()) as pieces:
        return await client.upload(first, pieces, last)


def config_of(form: Form, request_id: str) -> job.JobConfig:
    """The job that a form asks for, as far as it has come.

    Raises:
        StageError: INVALID_ARGUMENT with FIELD_INVALID.
    """
    if unknown := form.fields.keys() - set(_OWN_FIELDS):
        name = min(unknown)
        raise invalid(
            Reason.FIELD_INVALID,
            f"The form has an unknown field; it takes file, {', '.join(_OWN_FIELDS)}.",
            field=name,
        )
    config = _message(_options(_one(form.fields, "options")), job.JobConfig(), "options")
    names = [name.strip() for each in form.fields.get("features", ()) for name in each.split(",")]
    named = {"features": [name for name in names if name]}
    config.MergeFrom(_message(named, job.JobConfig(), "features"))
    config.template_id = _one(form.fields, "template_id") or config.template_id
    config.display_name = _one(form.fields, "display_name") or config.display_name
    config.filename = config.filename or sendable_name(form.filename)
    config.request_id = request_id or config.request_id
    return config


def _one(fields: Mapping[str, Sequence[str]], name: str) -> str:
    return fields.get(name, ("",))[-1]


def _options(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text or "{}")
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise invalid(
            Reason.FIELD_INVALID,
            "The field options is no JSON object; send the fields of JobConfig.",
            field="options",
        )
    return parsed


def _message(values: dict[str, Any], message: job.JobConfig, field: str) -> job.JobConfig:
    try:
        return from_dict(values, message)
    except ValueError as error:
        raise invalid(
            Reason.FIELD_INVALID,
            f"The field {field} cannot be read: {error}",
            field=field,
        ) from error


async def _linger(request: Request) -> None:
    with suppress(TimeoutError, Exception):
        async with asyncio.timeout(LINGER_SECONDS):
            async for _ in request.stream():
                pass
