"""Models and templates."""

from __future__ import annotations

import json
from typing import Any

from litestar.params import FromPath

from maie.catalog.v1 import catalog_pb2 as catalog
from maie.summary.v1 import summary_pb2 as summary
from maie_web.callers import CallersClient
from maie_web.handlers import get
from maie_web.openai.models import ModelList, model_list

TAGS = ["catalog"]


@get("/v1/models", summary="List models", tags=TAGS)
async def models(client: CallersClient) -> ModelList:
    """The models of all workers, by stage, and which of them OpenAI's clients can name."""
    return model_list(await client.list_models())


@get("/v1/templates", summary="List templates", tags=TAGS)
async def templates(client: CallersClient) -> catalog.ListTemplatesResponse:
    """The templates that a summary can fill, without schema and prompt."""
    return catalog.ListTemplatesResponse(templates=await client.list_templates())


@get("/v1/templates/{template_id:str}", summary="Get a template", tags=TAGS)
async def template(client: CallersClient, template_id: FromPath[str]) -> summary.Template:
    """A template with its schema and prompt."""
    return await client.get_template(template_id)


@get("/v1/templates/{template_id:str}/schema", summary="Get a template's schema", tags=TAGS)
async def schema(client: CallersClient, template_id: FromPath[str]) -> dict[str, Any]:
    """The JSON Schema that a summary of this template fits."""
    found = await client.get_template(template_id)
    parsed: dict[str, Any] = json.loads(found.schema_json)
    return parsed
