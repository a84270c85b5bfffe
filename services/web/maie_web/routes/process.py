"""Recordings in: a form with a file becomes a job while it is uploaded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from litestar import Request, Response
from litestar.openapi.spec import OpenAPIType, Operation, Schema
from litestar.params import HeaderParameter

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_client.text import sendable_name
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_formats.from_json import from_dict
from maie_web.callers import CallersClient
from maie_web.documentation import form_body
from maie_web.forms import Form
from maie_web.handlers import post
from maie_web.one_off import unless_left
from maie_web.problems import of_statuses
from maie_web.uploads import form_of, submit_file

# A file that comes first is accepted for this; what counts is checked at the end.
UNKNOWN_YET = (job.FEATURE_RAW_TRANSCRIPT,)
_URL = "url"
_OWN_FIELDS = ("features", "template_id", "reading_text", "display_name", "options")

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
        self.request_body = form_body(
            {
                "url": Schema(
                    type=OpenAPIType.STRING,
                    description="In place of `file`: where the recording is. The gateway fetches "
                    "it over http or https, without further headers.",
                ),
                "features": Schema(
                    type=OpenAPIType.ARRAY,
                    items=Schema(type=OpenAPIType.STRING),
                    description="What to make, by names: several fields, or one with commas. Clean "
                    "transcript and summary where none is named.",
                    examples=["clean_transcript,summary"],
                ),
                "template_id": Schema(
                    type=OpenAPIType.STRING,
                    description="The template that the summary fills.",
                    examples=["meeting_notes_v1"],
                ),
                "reading_text": Schema(
                    type=OpenAPIType.STRING,
                    description="The text that should have been read, for the feature `reading`.",
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
            required=(),
        )


@post(
    "/v1/process",
    summary="Process a recording",
    tags=["jobs"],
    status_code=HTTPStatus.ACCEPTED,
    request_max_body_size=None,
    operation_class=ProcessOperation,
    responses=of_statuses(
        {
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The recording is too large.",
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "It is no recording.",
            HTTPStatus.UNPROCESSABLE_ENTITY: "The server of the URL does not give it.",
            HTTPStatus.NOT_IMPLEMENTED: "Recordings are not fetched from URLs.",
            HTTPStatus.BAD_GATEWAY: "The server of the URL has a fault, or broke off.",
            HTTPStatus.GATEWAY_TIMEOUT: "The server of the URL is too slow.",
        }
    ),
)
async def process(
    request: Request, client: CallersClient, request_id: RequestId = ""
) -> Response[job.Job]:
    """Takes a recording and returns its job as soon as it is stored.

    The recording is passed on as it comes. Fields may be in any order; with those before the file,
    a wrong one is refused before the upload. A recording at a URL is fetched meanwhile; a client
    that leaves before the answer ends that.
    """
    async with form_of(request) as form:
        if await form.until_file():
            accepted = await _upload(client, form, request_id)
        else:
            accepted = await unless_left(request, _fetch(client, form, request_id))
    headers = {"location": f"/v1/jobs/{accepted.job_id}"}
    return Response(accepted, status_code=HTTPStatus.ACCEPTED, headers=headers)


async def _upload(client: Client, form: Form, request_id: str) -> job.Job:
    def config(whole: bool) -> job.JobConfig:
        asked = config_of(form, request_id)
        wants_summary = not asked.features or job.FEATURE_SUMMARY in asked.features
        lacks_template = wants_summary and not asked.template_id
        lacks_text = job.FEATURE_READING in asked.features and not asked.reading_options.text
        lacks_summary = job.FEATURE_DIGEST in asked.features and not wants_summary
        if not whole and (lacks_template or lacks_text or lacks_summary):
            del asked.features[:]
            asked.features.extend(UNKNOWN_YET)
        return asked

    return await submit_file(client, form, config)


async def _fetch(client: Client, form: Form, request_id: str) -> job.Job:
    url = _one(form.fields, _URL)
    if not url:
        raise invalid(
            Reason.REQUEST_UNREADABLE,
            "The form has no file; send the recording in the field `file`, or its URL in `url`.",
            field="file",
        )
    fields = {name: values for name, values in form.fields.items() if name != _URL}
    return await client.fetch(config_from(fields, "", request_id), url)


def config_of(form: Form, request_id: str) -> job.JobConfig:
    """The job that a form asks for, as far as it has come.

    Raises:
        StageError: INVALID_ARGUMENT with FIELD_INVALID.
    """
    return config_from(form.fields, form.filename, request_id)


def config_from(
    fields: Mapping[str, Sequence[str]], filename: str, request_id: str
) -> job.JobConfig:
    """The job that fields ask for.

    Args:
        fields: The values of each field.
        filename: The name of the recording's file; empty where it has none.
        request_id: Names the submit; empty where nothing does.

    Raises:
        StageError: INVALID_ARGUMENT with FIELD_INVALID.
    """
    if unknown := fields.keys() - set(_OWN_FIELDS):
        name = min(unknown)
        raise invalid(
            Reason.FIELD_INVALID,
            f"There is an unknown field; those that count are {', '.join(_OWN_FIELDS)}.",
            field=name,
        )
    config = _message(_options(_one(fields, "options")), job.JobConfig(), "options")
    names = [name.strip() for each in fields.get("features", ()) for name in each.split(",")]
    named = {"features": [name for name in names if name]}
    config.MergeFrom(_message(named, job.JobConfig(), "features"))
    config.template_id = _one(fields, "template_id") or config.template_id
    if text := _one(fields, "reading_text"):
        config.reading_options.text = text
    config.display_name = _one(fields, "display_name") or config.display_name
    config.filename = config.filename or sendable_name(filename)
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
