"""`maie templates`: a template is taken as a start, changed, saved, looked at and deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_tenant import maie

pytestmark = pytest.mark.mesh


async def test_a_template_goes_through_the_command_line(gateway: str, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    copied = await maie(gateway, "templates", "show", "lecture_v1", "--output", str(folder))
    assert copied == (0, "", "")
    schema = folder / "schema.json"
    schema.write_text(schema.read_text().replace('"title": "', '"title": "My ', 1))
    saved = await maie(gateway, "templates", "put", "mine", str(folder))
    assert saved == (0, "mine has version 1\n", "")
    schema.write_text(schema.read_text().replace('"My ', '"Our ', 1))
    code, _, errors = await maie(gateway, "templates", "put", "mine", str(folder), "--base", "0")
    assert (code != 0, "version is 1" in errors) == (True, True)
    _, rows, _ = await maie(gateway, "templates", "versions", "mine", "--json")
    assert [json.loads(each)["version"] for each in rows.splitlines()] == [1]
    assert (await maie(gateway, "templates", "delete", "mine"))[1] == "mine is deleted\n"
