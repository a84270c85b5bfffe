"""The documentation is true: what it allows is served as it says, and nothing ends in 500."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import hypothesis
import pytest
import schemathesis
from jsonschema import Draft202012Validator
from requests.exceptions import InvalidHeader
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from maie_formats.as_json import to_dict
from maie_web.contract.schemas import comments
from tests.web.conftest import Web, recording

pytestmark = pytest.mark.mesh

EXAMPLES = 5
# They document their own routes, errors included.
OTHERS = {"OpenAI", "Deepgram"}
# A gateway that is asked for much at once may say so.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


async def _document(web: Web) -> dict[str, Any]:
    document: dict[str, Any] = (await web.http.get("/docs/openapi.json")).json()
    return document


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
async def test_each_route_does_what_its_documentation_says(web: Web) -> None:
    schema = schemathesis.openapi.from_dict(await _document(web))
    routes = [cast(Any, found).ok() for found in schema.get_all_operations()]
    assert len(routes) > 10
    for route in routes:
        await asyncio.to_thread(_check, route, web.url)


def _check(route: schemathesis.APIOperation, url: str) -> None:
    checks = [not_a_server_error] if OTHERS & set(route.tags or ()) else CHECKS

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=route.as_strategy())
    def check(case: Any) -> None:
        try:
            response = case.call(base_url=url)
        except InvalidHeader:
            hypothesis.reject()
        case.validate_response(response, checks=checks)

    check()


async def test_real_answers_fit_their_schemas(web: Web) -> None:
    document = await _document(web)
    made = await web.grpc.create_job(recording(), features=["raw_transcript"])
    async for _ in web.grpc.watch_job(made.job_id):
        pass
    for name, path in (
        ("Job", f"/v1/jobs/{made.job_id}"),
        ("Timeline", f"/v1/jobs/{made.job_id}/timeline"),
        ("ListJobsResponse", "/v1/jobs"),
        ("ModelList", "/v1/models"),
        ("ListTemplatesResponse", "/v1/templates"),
        ("ProblemDocument", "/v1/jobs/none"),
    ):
        schema = {**document, "$ref": f"#/components/schemas/{name}"}
        Draft202012Validator(schema).validate((await web.http.get(path)).json())
    assert to_dict(await web.grpc.get_job(made.job_id))["state"] == "COMPLETE"


async def test_everything_is_described(web: Web) -> None:
    document = await _document(web)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (path, method)
            assert operation["description"], (path, method)
    messages = {name.rpartition(".")[2] for name in comments()}
    schemas = {k: v for k, v in document["components"]["schemas"].items() if k in messages}
    assert len(schemas) > 20
    for name, schema in schemas.items():
        for field, of_field in schema.get("properties", {}).items():
            assert of_field["description"], (name, field)
