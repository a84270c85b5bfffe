"""Templates of summaries: those that come with the deployment, and those that a tenant makes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from litestar.params import FromPath, JSONBody, QueryParameter

from maie.catalog.v1 import catalog_pb2 as catalog
from maie.summary.v1 import summary_pb2 as summary
from maie.template.v1 import template_pb2 as template_messages
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_web.callers import CallersClient
from maie_web.handlers import delete, get, post, put

TAGS = ["templates"]
MOST = 2**31 - 1

AskedVersion = Annotated[
    int | None,
    QueryParameter(
        name="version",
        description="The version; 0 of one that comes with the deployment. The newest where unset.",
        ge=0,
        le=MOST,
    ),
]


@dataclass(kw_only=True, frozen=True, slots=True)
class Draft:
    """What a template is made of.

    Attributes:
        schema_json: The JSON Schema that summaries fit, as JSON text; at most 64 KiB.
        prompt: The Jinja2 prompt for language models; at most 64 KiB.
        examples_json: Examples, as JSON text; at most 64 KiB. Empty for none.
        template_id: The id that it is to have; not checked where empty.
    """

    schema_json: str
    prompt: str
    examples_json: str = ""
    template_id: str = ""


@dataclass(kw_only=True, frozen=True, slots=True)
class NewVersion:
    """A version to save.

    Attributes:
        base_version: The version that was changed, the newest one; 0 for a new template.
        schema_json: The JSON Schema that summaries fit, as JSON text; at most 64 KiB.
        prompt: The Jinja2 prompt for language models; at most 64 KiB.
        examples_json: Examples, as JSON text; at most 64 KiB. Empty for none.
    """

    base_version: int
    schema_json: str
    prompt: str
    examples_json: str = ""


@get("/v1/templates", summary="List templates", tags=TAGS)
async def templates(client: CallersClient) -> catalog.ListTemplatesResponse:
    """The templates that a summary can fill, without schema and prompt.

    Those with a version above 0 are the tenant's own.
    """
    return catalog.ListTemplatesResponse(templates=await client.list_templates())


@get("/v1/templates/{template_id:str}", summary="Get a template", tags=TAGS)
async def template(
    client: CallersClient, template_id: FromPath[str], asked: AskedVersion = None
) -> summary.Template:
    """A template with its schema and prompt."""
    return await client.get_template(template_id, asked)


@get("/v1/templates/{template_id:str}/schema", summary="Get a template's schema", tags=TAGS)
async def schema(client: CallersClient, template_id: FromPath[str]) -> dict[str, Any]:
    """The JSON Schema that a summary of this template fits."""
    found = await client.get_template(template_id)
    parsed: dict[str, Any] = json.loads(found.schema_json)
    return parsed


@get("/v1/templates/{template_id:str}/versions", summary="List a template's versions", tags=TAGS)
async def versions(
    client: CallersClient, template_id: FromPath[str]
) -> template_messages.ListTemplateVersionsResponse:
    """Who saved the template and when, newest first; none of one that comes with the deployment."""
    found = await client.templates.versions(template_id)
    return template_messages.ListTemplateVersionsResponse(versions=found)


@put("/v1/templates/{template_id:str}", summary="Save a template", tags=TAGS)
async def save(
    client: CallersClient, template_id: FromPath[str], data: JSONBody[NewVersion]
) -> template_messages.SavedTemplate:
    """Saves the next version of a template; 409 where somebody saved meanwhile.

    `fields` of an error names the place, such as `schema_json#/properties/topics` or `prompt:12`.
    """
    if not 0 <= data.base_version <= MOST:
        raise invalid(
            Reason.FIELD_INVALID,
            "base_version is the number of a version, and 0 for a new template.",
            field="base_version",
        )
    return await client.templates.save(
        template_id, data.base_version, data.schema_json, data.prompt, data.examples_json
    )


@post(
    "/v1/templates:check",
    summary="Check a template",
    tags=TAGS,
    status_code=HTTPStatus.OK,
)
async def check(
    client: CallersClient, data: JSONBody[Draft]
) -> template_messages.CheckTemplateResponse:
    """What is wrong with a template and where, the first problem of each part. Stores nothing."""
    found = await client.templates.check(
        data.schema_json, data.prompt, data.examples_json, template_id=data.template_id
    )
    return template_messages.CheckTemplateResponse(problems=found)


@delete("/v1/templates/{template_id:str}", summary="Delete a template", tags=TAGS)
async def remove(client: CallersClient, template_id: FromPath[str]) -> None:
    """Deletes a template with all versions; jobs keep the one that they were given."""
    await client.templates.delete(template_id)


@get("/v1/jobs/{job_id:str}/template", summary="Get a job's template", tags=TAGS)
async def of_job(client: CallersClient, job_id: FromPath[str]) -> summary.Template:
    """The template of a job as it was when the job was accepted, also where it changed since."""
    return await client.templates.of_job(job_id)
