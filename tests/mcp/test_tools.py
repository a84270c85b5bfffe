"""Models find, read and submit recordings over both transports, as far as their key allows."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from maie.access.v1 import access_pb2 as access
from maie.job.v1 import job_pb2 as job
from tests.gateway.conftest import EmptyMesh
from tests.gateway.fetching.origin import AUDIO, LOOPBACK, Origin, answer
from tests.mcp.conftest import TRANSPORTS, Transport, connected, key
from tests.waiting import PATIENCE_SECONDS
from tests.web.conftest import Web, recording, web_before

pytestmark = pytest.mark.mesh
FEATURES = ("clean_transcript", "summary")
READING = {"search", "list_jobs", "get_status", "get_transcript", "get_summary", "list_templates"}
both = pytest.mark.parametrize("transport", TRANSPORTS)


async def finished(web: Web, name: str, tenant: str = "") -> job.Job:
    """A job that has a transcript and a summary."""
    client = web.grpc.acting(tenant=tenant)
    made = await client.create_job(
        recording(), features=FEATURES, template_id="meeting_notes_v1", display_name=name
    )
    async for _ in client.watch_job(made.job_id):
        pass
    return await client.get_job(made.job_id)


@both
async def test_a_recording_is_found_and_read(web: Web, transport: Transport) -> None:
    done = await finished(web, "Weekly")
    async with connected(web, transport) as model:
        (listed,) = (await model.call("list_jobs", state="COMPLETE"))["jobs"]
        assert listed == {
            "job_id": done.job_id,
            "name": "Weekly",
            "state": "COMPLETE",
            "created": done.create_time.ToJsonString(),
            "labels": {},
        }
        assert (await model.call("list_jobs", state="FAILED"))["jobs"] == []
        status = await model.call("get_status", job_id=done.job_id)
        assert (status["is_final"], status["has_transcript"], status["has_summary"]) == (True,) * 3
        read = await model.call("get_transcript", job_id=done.job_id)
        assert (read["page"], read["pages"]) == (1, 1)
        assert all(each.clean_text in read["text"] for each in done.results.segments)
        summed = await model.call("get_summary", job_id=done.job_id)
        (section,) = summed["sections"]
        assert (section["title"], len(section["items"])) == ("Parts", 1)
        assert summed["job"] == listed
        templates = (await model.call("list_templates"))["templates"]
        assert "meeting_notes_v1" in {each["template_id"] for each in templates}


async def test_search_finds_moments(web: Web) -> None:
    done = await finished(web, "Weekly")
    async with connected(web) as model:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (hits := (await model.call("search", query="chunk"))["hits"]):
                await asyncio.sleep(0.05)
        (hit,) = hits
        assert hit["job"]["job_id"] == done.job_id
        assert hit["moments"]
        assert (await model.call("search", query="nobody-said-this"))["hits"] == []


@both
async def test_a_job_of_another_tenant_is_not_found(web: Web, transport: Transport) -> None:
    theirs = await finished(web, "Theirs", tenant="acme")
    other = await key(web, "other", access.SCOPE_READ)
    async with connected(web, transport, api_key=other) as model:
        assert (await model.call("list_jobs"))["jobs"] == []
        for tool in ("get_status", "get_transcript", "get_summary"):
            assert "(JOB_NOT_FOUND)" in await model.refused(tool, job_id=theirs.job_id)
        with pytest.raises(Exception, match="JOB_NOT_FOUND"):
            await model.client.read_resource(f"maie://jobs/{theirs.job_id}/transcript")


async def test_a_key_that_may_not_read_reads_nothing(shared_web: Web) -> None:
    submitter = await key(shared_web, "acme", access.SCOPE_SUBMIT)
    async with connected(shared_web, api_key=submitter) as model:
        assert "(SCOPE_MISSING)" in await model.refused("list_jobs")


async def test_a_recording_of_an_allowed_folder_is_submitted(web: Web, tmp_path: Path) -> None:
    file = tmp_path / "Küche 会議.wav"
    file.write_bytes(b"sound")
    async with connected(web, "stdio", options=("--folder", str(tmp_path))) as model:
        tools = (await model.client.list_tools()).tools
        assert {each.name for each in tools} == READING | {"submit"}
        made = await model.call("submit", path=str(file), template_id="meeting_notes_v1")
        assert made["name"] == file.name
        stored = await web.grpc.get_job(made["job_id"])
        assert stored.config.features == [job.FEATURE_CLEAN_TRANSCRIPT, job.FEATURE_SUMMARY]
        by_name = await model.call("submit", path=file.name, name="Kitchen", speakers=True)
        assert by_name["name"] == "Kitchen"
        stored = await web.grpc.get_job(by_name["job_id"])
        assert stored.config.features == [job.FEATURE_CLEAN_TRANSCRIPT, job.FEATURE_SPEAKERS]
        assert "(TEMPLATE_NOT_FOUND)" in await model.refused(
            "submit", path=file.name, template_id="no_such"
        )
        outside = await model.refused("submit", path="/etc/passwd")
        assert "no such file in the folders" in outside


async def test_a_recording_at_a_url_is_submitted_over_http(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options["fetch"] = LOOPBACK
    async with (
        Origin(answers={"/talk.wav": answer(AUDIO)}).running() as origin,
        empty_mesh.running() as client,
        web_before(client) as web,
    ):
        async with connected(web) as model:
            tools = {each.name: each for each in (await model.client.list_tools()).tools}
            assert tools.keys() == READING | {"submit_url"}
            hints = tools["submit_url"].annotations
            assert hints is not None
            assert (hints.read_only_hint, hints.open_world_hint) == (False, True)
            made = await model.call("submit_url", url=origin.url("/talk.wav"), language="de")
            assert made["name"] == "talk.wav"
            refused = await model.refused("submit_url", url=origin.url("/none"))
            assert "(FETCH_NOT_FOUND)" in refused
        reader = await key(web, "acme", access.SCOPE_READ)
        async with connected(web, api_key=reader) as model:
            refused = await model.refused("submit_url", url=origin.url("/talk.wav"))
            assert "(SCOPE_MISSING)" in refused
        assert origin.paths == ["/talk.wav", "/none"]


async def test_a_key_that_only_reads_submits_nothing(web: Web, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"sound")
    reader = await key(web, "acme", access.SCOPE_READ)
    folder = ("--folder", str(tmp_path))
    async with connected(web, "stdio", api_key=reader, options=folder) as model:
        assert "(SCOPE_MISSING)" in await model.refused("submit", path="a.wav")
        assert (await model.call("list_jobs"))["jobs"] == []


@both
async def test_tools_say_that_they_only_read(shared_web: Web, transport: Transport) -> None:
    async with connected(shared_web, transport) as model:
        tools = (await model.client.list_tools()).tools
    submitting = {"submit_url"} if transport == "http" else set()
    assert {each.name for each in tools} == READING | submitting
    for each in tools:
        assert each.annotations
        assert each.annotations.read_only_hint == (each.name in READING)
        assert each.description
        assert each.output_schema
        properties = each.input_schema["properties"]
        assert all(rules.get("description") for rules in properties.values())


@both
async def test_results_are_resources(shared_web: Web, transport: Transport) -> None:
    done = await finished(shared_web, "Weekly")
    async with connected(shared_web, transport) as model:
        read = await model.client.read_resource(f"maie://jobs/{done.job_id}/document")
        (content,) = read.contents
        assert content.mime_type == "text/markdown"
        assert "## Transcript" in content.model_dump()["text"]


async def test_a_job_without_results_says_so(shared_web: Web) -> None:
    made = await shared_web.grpc.create_job(recording(), features=("raw_transcript",))
    async for _ in shared_web.grpc.watch_job(made.job_id):
        pass
    async with connected(shared_web) as model:
        assert "no summary" in await model.refused("get_summary", job_id=made.job_id)
        assert "The last page of this range is 1" in await model.refused(
            "get_transcript", job_id=made.job_id, page=2
        )
        assert "page" in await model.refused("get_transcript", job_id=made.job_id, page=0)
