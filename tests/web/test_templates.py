"""Templates of a tenant's own over HTTP."""

from __future__ import annotations

import pytest

from maie_client import Client
from tests.gateway.templates.contents import PROMPT, SCHEMA, schema
from tests.web.conftest import Web, recording

pytestmark = pytest.mark.mesh

PATH = "/v1/templates/standup"
ENDLESS = schema(notes={"type": "string"})


def draft(base: int, schema_json: str = SCHEMA) -> dict[str, object]:
    """The body of a save."""
    return {"base_version": base, "schema_json": schema_json, "prompt": PROMPT}


async def summarised(client: Client) -> str:
    """The id of a job that fills the template."""
    features = ["clean_transcript", "summary"]
    made = await client.create_job(recording(), features=features, template_id="standup")
    async for _ in client.watch_job(made.job_id):
        pass
    return made.job_id


async def test_a_template_is_saved_read_used_and_deleted(web: Web) -> None:
    first = await web.http.put(PATH, json=draft(0))
    assert (first.status_code, first.json()["version"]) == (200, 1)
    job_id = await summarised(web.grpc)
    second = await web.http.put(PATH, json=draft(1, schema("Daily")))
    listed = (await web.http.get(f"{PATH}/versions")).json()
    assert listed == {"versions": [second.json(), first.json()]}
    assert (await web.http.get(PATH)).json()["title"] == "Daily"
    assert (await web.http.get(PATH, params={"version": 1})).json()["schema_json"] == SCHEMA
    shown = {
        each["template_id"]: each
        for each in (await web.http.get("/v1/templates")).json()["templates"]
    }
    assert (shown["standup"]["version"], shown["lecture_v1"]["version"]) == (2, 0)
    assert (await web.http.delete(PATH)).status_code == 204
    assert (await web.http.get(PATH)).status_code == 404
    kept = (await web.http.get(f"/v1/jobs/{job_id}/template")).json()
    assert (kept["schema_json"], kept["version"]) == (SCHEMA, 1)
    # The parts of its summary are in the template's order, in files, too.
    assert "# " in (await web.http.get(f"/v1/jobs/{job_id}/results/md")).text


async def test_what_is_refused_says_where(web: Web) -> None:
    refused = await web.http.put(PATH, json=draft(0, ENDLESS))
    assert (refused.status_code, refused.json()["reason"]) == (400, "TEMPLATE_REJECTED")
    ((field, why),) = refused.json()["fields"].items()
    assert field == "schema_json#/properties/notes"
    assert "maxLength is missing" in why
    found = await web.http.post("/v1/templates:check", json={"schema_json": ENDLESS, "prompt": ""})
    assert found.json()["problems"] == [
        {
            "part": "schema_json",
            "message": "$/notes: maxLength is missing or over 20000.",
            "pointer": "/properties/notes",
            "line": 0,
        }
    ]
    outdated = await web.http.put(PATH, json=draft(3))
    assert (outdated.status_code, outdated.json()["reason"]) == (409, "TEMPLATE_OUTDATED")
    shipped = await web.http.delete("/v1/templates/lecture_v1")
    assert (shipped.status_code, shipped.json()["reason"]) == (422, "TEMPLATE_SHIPPED")
    assert (await web.http.put(PATH, json=draft(-1))).status_code == 400


async def test_another_tenant_does_not_see_it(web: Web, acme: Client) -> None:
    await acme.templates.save("standup", 0, SCHEMA, PROMPT)
    assert (await web.http.get(PATH)).status_code == 404
    assert (await web.http.get(f"{PATH}/versions")).status_code == 404
