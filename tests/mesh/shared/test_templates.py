"""A user's own templates in a mesh that runs: new, changed and removed ones count at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format

from maie.summary.v1 import summary_pb2 as summary
from maie.summary.v1 import summary_pb2_grpc as summary_grpc
from maie_client import Client
from tests.mesh.conftest import RunningMesh
from tests.summary.asking import TALK, transcript

pytestmark = pytest.mark.mesh

PROMPT = "{{ examples }} Read: {{ transcript }}"
ASKED = {"type": "array", "maxItems": 3, "items": {"type": "string", "maxLength": 100}}
EXAMPLE = {
    "transcript": ["Who has time?"],
    "answer": {"questions": ["Who has time?"]},
    "lines": {"/questions/0": [1]},
}


def write(folder: Path, properties: dict[str, Any]) -> None:
    folder.mkdir(exist_ok=True)
    schema = {
        "title": "Mine",
        "description": "A template of a user.",
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }
    (folder / "prompt.jinja").write_text(PROMPT)
    (folder / "schema.json").write_text(json.dumps(schema))


async def fill(summaries: summary_grpc.SummaryServiceStub) -> summary.Summary:
    """Fills the template `mine` by the running summary service."""
    request = summary.SummarizeRequest(template_id="mine", transcript=transcript(TALK))
    updates = [update async for update in summaries.Summarize(request)]
    return updates[-1].result.summary


async def test_templates_of_a_user_are_read_again_without_a_restart(
    shared_mesh: RunningMesh, templates: Path
) -> None:
    async with Client(shared_mesh.gateway) as client:
        address = shared_mesh.layout.address_file("summary").read_text()
        async with grpc.aio.insecure_channel(address) as channel:
            summaries: Any = summary_grpc.SummaryServiceStub(channel)
            with pytest.raises(grpc.aio.AioRpcError) as none:
                await fill(summaries)
            assert none.value.code() == grpc.StatusCode.NOT_FOUND

            write(templates / "mine", {"questions": ASKED})
            first = await fill(summaries)
            content = json_format.MessageToDict(first.content)
            assert "Do we need more people for the support team?" in content["questions"]
            listed = {each.template_id: each for each in await client.list_templates()}
            assert len(listed) == 5
            assert listed["mine"].sha256 == first.template_sha256

            write(templates / "mine", {"decisions": ASKED})
            second = await fill(summaries)
            assert list(json_format.MessageToDict(second.content)) == ["decisions"]
            assert second.template_sha256 != first.template_sha256

            (templates / "mine" / "examples.json").write_text(json.dumps([EXAMPLE]))
            with pytest.raises(grpc.aio.AioRpcError) as misfit:
                await fill(summaries)
            assert misfit.value.code() == grpc.StatusCode.INVALID_ARGUMENT
            assert "answer of example 1 does not fit the schema" in (misfit.value.details() or "")
            write(templates / "mine", {"questions": ASKED})
            third = await client.get_template("mine")
            assert json.loads(third.examples_json) == [EXAMPLE]
            assert not any(each.examples_json for each in await client.list_templates())
            assert third.sha256 == (await fill(summaries)).template_sha256
            assert third.sha256 not in (first.template_sha256, second.template_sha256)

            shutil.rmtree(templates / "mine")
            assert len(await client.list_templates()) == 4
