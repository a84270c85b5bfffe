"""Templates that tenants make themselves, over a whole mesh."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta

import pytest

from maie.job.v1 import job_pb2 as job
from maie.template.v1 import stored_pb2 as stored
from maie.template.v1 import template_pb2 as template
from maie_client import Client, ClientError
from maie_client.template_of_job import template_of
from maie_core.reasons import Reason
from maie_gateway.templates.entries import TemplateEntries
from maie_gateway.templates.own import OwnTemplates
from maie_gateway.vault.data_keys import JobKeys
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from tests.gateway.conftest import EmptyMesh
from tests.gateway.templates.contents import PROMPT, SCHEMA, schema
from tests.gateway.test_residue import files_with

pytestmark = pytest.mark.mesh

SHIPPED = "meeting_notes_v1"
# Made long ago, as UUIDs of version 7 say of themselves.
OLD_CONTENT = "01900000-0000-7000-8000-000000000000"


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


async def refusal(of: Awaitable[object]) -> tuple[str, str]:
    """The code and the reason of a refused call."""
    with pytest.raises(ClientError) as refused:
        await of
    return refused.value.code.name, refused.value.reason


async def ended(client: Client, job_id: str) -> job.Job:
    """A job at its end."""
    return [each async for each in client.watch_job(job_id)][-1].finished.job


async def test_versions_never_change(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        first = await client.templates.save("standup", 0, SCHEMA, PROMPT)
        assert (first.version, len(first.sha256)) == (1, 64)
        assert first.author == (await client.get_caller()).caller_id
        second = await client.templates.save("standup", 1, schema("Daily"), PROMPT)
        assert await client.templates.versions("standup") == [second, first]
        newest, before = [await client.get_template("standup", each) for each in (None, 1)]
        assert (newest.version, newest.title, newest.sha256) == (2, "Daily", second.sha256)
        assert (before.schema_json, before.prompt, before.version) == (SCHEMA, PROMPT, 1)
        listed = {each.template_id: each for each in await client.list_templates()}
        assert (listed["standup"].version, listed["standup"].title) == (2, "Daily")
        assert (listed[SHIPPED].version, listed["standup"].schema_json) == (0, "")
        assert await client.templates.versions(SHIPPED) == []
        gone = "NOT_FOUND", Reason.TEMPLATE_VERSION_NOT_FOUND
        for name, version in (("standup", 3), ("standup", 0), (SHIPPED, 1)):
            assert await refusal(client.get_template(name, version)) == gone
        assert (await client.get_template(SHIPPED, 0)).template_id == SHIPPED


async def test_a_save_on_top_of_an_older_version_is_refused(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        titles = [f"Try {number}" for number in range(6)]
        saves = (client.templates.save("standup", 0, schema(each), PROMPT) for each in titles)
        outcomes = await asyncio.gather(*saves, return_exceptions=True)
        saved = [each for each in outcomes if isinstance(each, template.SavedTemplate)]
        refused = [each for each in outcomes if isinstance(each, ClientError)]
        assert (len(saved), len(refused)) == (1, 5)
        assert {(each.code.name, each.reason) for each in refused} == {
            ("ABORTED", Reason.TEMPLATE_OUTDATED)
        }
        assert "version is 1" in refused[0].message
        # An answer that was lost is given again.
        own = (await client.get_template("standup")).schema_json
        assert await client.templates.save("standup", 0, own, PROMPT) == saved[0]
        later = client.templates.save("absent", 1, SCHEMA, PROMPT)
        assert await refusal(later) == ("ABORTED", Reason.TEMPLATE_OUTDATED)


async def test_a_deleted_template_gives_no_number_twice(
    empty_mesh: EmptyMesh, broker: Broker
) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        await client.templates.save("standup", 0, schema("Zanzibar"), PROMPT)
        await client.templates.save("standup", 1, schema("Zanzibar again"), PROMPT)
        await client.templates.delete("standup")
        assert files_with([empty_mesh.nats.store], ["Zanzibar"]) == {}
        absent = "NOT_FOUND", Reason.TEMPLATE_NOT_FOUND
        for call in (
            client.get_template("standup"),
            client.templates.versions("standup"),
            client.templates.delete("standup"),
        ):
            assert await refusal(call) == absent
        assert "standup" not in {each.template_id for each in await client.list_templates()}
        assert (await client.templates.save("standup", 0, SCHEMA, PROMPT)).version == 3
        assert len(await client.templates.versions("standup")) == 1
        # What a gateway that died between two writes left is found; what an entry names is not.
        left = subjects.template_content("default", "standup", OLD_CONTENT)
        await broker.templates.put(left, b"")
        own = OwnTemplates(TemplateEntries(broker), JobKeys())
        assert await own.left(timedelta(0)) == [("default", "standup", OLD_CONTENT)]
        await own.erase("default", "standup", OLD_CONTENT)
        assert await own.left(timedelta(0)) == []


async def test_what_comes_with_the_deployment_stays_as_it_is(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        taken = "FAILED_PRECONDITION", Reason.TEMPLATE_SHIPPED
        assert await refusal(client.templates.save(SHIPPED, 0, SCHEMA, PROMPT)) == taken
        assert await refusal(client.templates.delete(SHIPPED)) == taken


async def test_an_invalid_template_is_refused_with_the_place(empty_mesh: EmptyMesh) -> None:
    endless = schema(notes={"type": "object", "properties": {"a/b": {"type": "string"}}})
    async with empty_mesh.gateway() as address, Client(address) as client:
        with pytest.raises(ClientError) as refused:
            await client.templates.save("standup", 0, endless, PROMPT)
        assert refused.value.reason == Reason.TEMPLATE_REJECTED
        (field,) = refused.value.fields
        assert field == "schema_json#/properties/notes/properties/a~1b"
        prompt = "{{ transcript }}\n{{ weather }}\n{% if %}"
        schema_problem, prompt_problem = await client.templates.check(endless, prompt)
        assert schema_problem.pointer == "/properties/notes/properties/a~1b"
        assert schema_problem.message == "$/notes/a/b: maxLength is missing or over 20000."
        assert (prompt_problem.part, prompt_problem.line) == ("prompt", 3)
        (id_problem,) = await client.templates.check(SCHEMA, PROMPT, template_id="A b")
        assert id_problem.part == "template_id"
        (of_json,) = await client.templates.check('{\n"title": }', PROMPT)
        assert (of_json.part, of_json.line) == ("schema_json", 2)
        (of_example,) = await client.templates.check(SCHEMA, PROMPT, json.dumps([{}]))
        assert of_example.pointer == "/0/transcript"
        (too_long,) = await client.templates.check(schema("x" * 201), PROMPT)
        assert too_long.pointer == "/title"
        assert await client.templates.check(SCHEMA, PROMPT) == []


async def test_a_job_keeps_its_template_whatever_happens_to_it(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        saved = await client.templates.save("standup", 0, SCHEMA, PROMPT)
        made = await client.create_job(
            recording(), features=("clean_transcript", "summary"), template_id="standup"
        )
        await client.templates.save("standup", 1, schema("Daily"), PROMPT)
        await client.templates.delete("standup")
        async with empty_mesh.services():
            done = await ended(client, made.job_id)
            assert done.state == job.JOB_STATE_COMPLETE
            shown = done.versions.template
            assert (shown.template_id, shown.version, shown.sha256) == ("standup", 1, saved.sha256)
            kept = await template_of(client, done)
            assert kept is not None
            assert (kept.schema_json, kept.version) == (SCHEMA, 1)
            again = client.revisions.summarize(made.job_id)
            assert await refusal(again) == ("NOT_FOUND", Reason.TEMPLATE_NOT_FOUND)
            await client.templates.save("retro", 0, schema("Retro"), PROMPT)
            other = await client.revisions.summarize(made.job_id, template_id="retro")
            summarised = (await ended(client, other)).versions.template
            assert (summarised.template_id, summarised.version) == ("retro", 1)


async def test_there_is_a_limit(empty_mesh: EmptyMesh, broker: Broker) -> None:
    saved = stored.SavedVersion(version=1, content_id=OLD_CONTENT)
    history = stored.TemplateHistory(versions=[saved]).SerializeToString()
    entry = stored.StoredTemplate(last_version=1, history=history).SerializeToString()
    for number in range(200):
        await broker.templates.put(subjects.template_entry("default", f"t{number}"), entry)
    versions = [stored.SavedVersion(version=each) for each in range(1, 201)]
    history = stored.TemplateHistory(versions=versions).SerializeToString()
    entry = stored.StoredTemplate(last_version=200, history=history).SerializeToString()
    await broker.templates.put(subjects.template_entry("default", "t0"), entry)
    async with empty_mesh.gateway() as address, Client(address) as client:
        full = "FAILED_PRECONDITION", Reason.TEMPLATES_FULL
        assert await refusal(client.templates.save("standup", 0, SCHEMA, PROMPT)) == full
        assert await refusal(client.templates.save("t0", 200, SCHEMA, PROMPT)) == full
        assert (await client.templates.save("t1", 1, SCHEMA, PROMPT)).version == 2
        # One that cannot be read hides none of the others.
        await broker.templates.put(subjects.template_entry("default", "t2"), b"\xff")
        assert len(await client.list_templates()) == 199 + 4
        assert await refusal(client.get_template("t2")) == ("DATA_LOSS", Reason.TEMPLATE_CORRUPT)
