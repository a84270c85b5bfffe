"""Whose jobs a command is about."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from maie_client import Client
from tests.cli.command import Ended, maie_at

pytestmark = pytest.mark.mesh


async def maie(gateway: str, *arguments: str, **environment: str) -> Ended:
    return await maie_at(gateway, *arguments, environment=environment)


async def recording() -> AsyncIterator[bytes]:
    yield b"not empty"


async def submit(gateway: str, tenant: str) -> str:
    async with Client(gateway, tenant=tenant) as client:
        return (await client.create_job(recording(), template_id="meeting_notes_v1")).job_id


async def test_each_tenant_sees_and_steers_its_own_jobs(gateway: str) -> None:
    ours, theirs = await submit(gateway, ""), await submit(gateway, "acme")
    for options, environment, expected in (
        ((), {}, ours),
        (("--tenant", "acme"), {}, theirs),
        ((), {"MAIE_TENANT": "acme"}, theirs),
        (("--tenant", "default"), {"MAIE_TENANT": "acme"}, ours),
    ):
        code, listed, errors = await maie(
            gateway, "jobs", "list", "--json", *options, **environment
        )
        assert (code, errors) == (0, "")
        assert [json.loads(line)["job_id"] for line in listed.splitlines()] == [expected]
    for command in ("watch", "delete"):
        code, _, errors = await maie(gateway, "jobs", command, theirs)
        assert (code, errors.count("\n")) == (2, 1)
        assert f"no job {theirs}" in errors
    code, output, _ = await maie(gateway, "jobs", "delete", theirs, "--tenant", "acme")
    assert (code, output) == (0, f"{theirs} is gone\n")


@pytest.mark.parametrize("name", ["A B", "Ä", "a\nb", "-a", "a" * 33])
async def test_a_name_that_no_tenant_has_is_one_line(gateway: str, name: str) -> None:
    code, output, errors = await maie(gateway, "jobs", "list", f"--tenant={name}")
    assert (code, output) == (2, "")
    assert errors.startswith("error: ")
    assert "up to 32 characters of a-z, 0-9 and -" in errors
    assert errors.count("\n") == 1
