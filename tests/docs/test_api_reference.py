"""The reference of the API has every call and every message that clients may meet."""

from __future__ import annotations

import re
from functools import cache

import pytest

from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from tools import api_reference

pytestmark = pytest.mark.unit


@cache
def page() -> str:
    return api_reference.reference()


def section(heading: str) -> str:
    return page().split(f"# {heading}\n", 1)[1].split("\n##", 1)[0]


@pytest.mark.parametrize("service", [job.DESCRIPTOR.services_by_name["JobService"]])
def test_each_call_says_what_it_takes_and_gives(service: object) -> None:
    for method in service.methods:  # type: ignore[attr-defined]
        text = section(method.name)
        assert f"[{method.input_type.name}](#" in text
        assert f"[{method.output_type.name}](#" in text
        assert len(text.split()) > 5, f"{method.name} has no comment"


def test_a_stream_is_called_one() -> None:
    assert "a stream of [CreateJobRequest]" in section("CreateJob")
    assert "a stream of" not in section("GetJob")


@pytest.mark.parametrize("message", [job.Job.DESCRIPTOR, live.TranscribeRequest.DESCRIPTOR])
def test_each_field_has_its_row(message: object) -> None:
    text = section(message.full_name)  # type: ignore[attr-defined]
    for field in message.fields:  # type: ignore[attr-defined]
        (row,) = re.findall(rf"^\| `{field.name}` \| (.+) \| (.+) \|$", text, re.MULTILINE)
        assert all(row)


def test_every_link_within_the_page_leads_to_a_heading() -> None:
    headings = re.findall(r"^#+ (.+)$", page(), re.MULTILINE)
    anchors = {heading.replace(".", "").lower() for heading in headings}
    links = set(re.findall(r"\]\(#([^)]+)\)", page()))
    assert links <= anchors


def test_what_the_mesh_keeps_for_itself_is_left_out() -> None:
    assert not [kept for kept in ("JobRecord", "StageTask", "StoredKey") if f".{kept}\n" in page()]
