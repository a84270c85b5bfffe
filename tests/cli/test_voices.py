"""`maie voices`: people who are found again by their voices."""

from __future__ import annotations

import json

import pytest

from maie_client import Client
from tests.cli.command import maie_at
from tests.gateway.conftest import EmptyMesh, empty_mesh  # noqa: F401 - a fixture
from tests.people import allow_voices, job_of, person, speaking

pytestmark = pytest.mark.mesh


async def test_a_voice_is_enrolled_found_renamed_and_deleted(
    empty_mesh: EmptyMesh,  # noqa: F811
) -> None:
    empty_mesh.stages["diarization"].answer = speaking(person("anna"), b"")
    async with empty_mesh.running() as client:
        await _walk_through(client)


async def _walk_through(client: Client) -> None:
    async def maie(*arguments: str) -> tuple[int, str, str]:
        return await maie_at(client.address, "voices", *arguments)

    job_id = await job_of(client)
    asked = ("enroll", job_id, "S1", "--consent", "Anna agreed.")
    code, _, error = await maie(*asked, "--name", "Anna")
    assert code != 0
    assert "--set voices=100" in error
    await allow_voices(client)
    code, _, noted = await maie("list")
    assert (code, noted) == (
        0,
        "no voices are enrolled; enrol one with: maie voices enroll JOB S1\n",
    )
    code, printed, _ = await maie(*asked, "--name", "Anna", "--segment", "c0000-s0001")
    voice_id = printed.split()[0]
    assert (code, printed) == (0, f"{voice_id} is Anna\n")
    code, printed, _ = await maie(*asked, "--add-to", voice_id, "--json")
    assert (code, json.loads(printed)["revision"]) == (0, 2)
    code, _, error = await maie(*asked)
    assert code == 2
    assert "--add-to" in error

    code, printed, noted = await maie("find", job_id)
    assert code == 0
    assert "S1, of whom 5.0 s are heard alone\n  1.00  Anna  likely\n" in printed
    assert "S2, of whom 0.0 s are heard alone\n  nobody to compare with\n" in printed
    assert f"maie jobs update {job_id} --speaker S1=NAME" in noted
    code, printed, _ = await maie("find", job_id, "--json")
    assert json.loads(printed)["speakers"][0]["candidates"][0]["is_likely"] is True

    assert await maie("rename", voice_id, "Anna B") == (0, f"{voice_id} is Anna B\n", "")
    code, printed, _ = await maie("show", voice_id)
    assert printed.startswith(f"Anna B, {voice_id}\n  S1 of job {job_id}: 5.0 s, heard by empty")
    assert "Anna agreed. (20" in printed
    code, printed, _ = await maie("list", "--json")
    assert json.loads(printed)["display_name"] == "Anna B"
    code, printed, _ = await maie("list")
    assert "Anna B" in printed
    assert await maie("delete", voice_id) == (0, f"{voice_id} is deleted\n", "")
    code, _, error = await maie("show", voice_id)
    assert code != 0
    assert "maie voices list" in error
