"""What lists say where there is nothing, and to what cannot be asked."""

from __future__ import annotations

import pytest

from tests.cli.test_tenant import maie, submit

pytestmark = [pytest.mark.mesh, pytest.mark.timeout(120)]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("jobs", "list"), "there are no such jobs"),
        (("dead-letters", "list"), "nothing was given up"),
        (("search", "giraffe"), "nothing was found"),
    ],
)
async def test_nothing_is_said_to_be_nothing(
    gateway: str, command: tuple[str, ...], said: str
) -> None:
    assert await maie(gateway, *command) == (0, "", f"{said}\n")
    assert await maie(gateway, *command, "--json") == (0, "", "")


async def test_an_id_is_never_cut(gateway: str) -> None:
    job_id = await submit(gateway, "")
    _, output, _ = await maie(gateway, "jobs", "list", COLUMNS="72")
    assert job_id in output


async def test_a_change_that_changes_nothing_is_wrong_usage(gateway: str) -> None:
    code, output, errors = await maie(gateway, "jobs", "update", await submit(gateway, ""))
    assert (code, output) == (2, "")
    assert "--name or --label" in errors
