"""What lists say where there is nothing, and to what cannot be asked."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from maie_cli.listing import Field, Listing, print_listing
from tests.cli.test_tenant import maie, submit

pytestmark = pytest.mark.mesh


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


@pytest.mark.parametrize("columns", [20, 40, 60, 72, 80, 200])
async def test_ids_states_and_names_are_never_cut(gateway: str, columns: int) -> None:
    job_id = await submit(gateway, "")
    named = await submit(gateway, "")
    name = "Interview with the head of the archive"
    await maie(gateway, "jobs", "update", named, "--name", name)
    _, output, errors = await maie(gateway, "jobs", "list", COLUMNS=str(columns))
    assert errors == ""
    assert job_id in output
    assert output.count("PENDING") == 2
    # In a table, a long name has lines of its own below each other.
    shown = output if columns < 80 else " ".join(output.split())
    assert all(word in shown for word in name.split())
    if columns >= 80:
        assert max(map(len, output.splitlines())) <= columns


async def test_a_change_that_changes_nothing_is_wrong_usage(gateway: str) -> None:
    code, output, errors = await maie(gateway, "jobs", "update", await submit(gateway, ""))
    assert (code, output) == (2, "")
    assert "--name, --label or --speaker" in errors


async def test_the_names_of_speakers_reach_the_gateway(gateway: str) -> None:
    job_id = await submit(gateway, "")
    assert (await maie(gateway, "jobs", "update", job_id, "--speaker", "S1=Anna"))[0] == 0
    assert job_id in (await maie(gateway, "jobs", "list", "--speaker", "anna"))[1]
    assert (await maie(gateway, "jobs", "list", "--speaker", "ben"))[1] == ""
    code, output, errors = await maie(gateway, "jobs", "update", job_id, "--speaker", "x=Anna")
    assert (code, output) == (2, "")
    assert "names of speakers, by S1, S2 and so on" in errors


@pytest.mark.parametrize("name", ["x", "Interview with the head of the archive", "a" * 50])
@pytest.mark.parametrize("state", ["PENDING", "PROCESSING_LLM"])
def test_a_list_is_a_table_only_where_it_fits(name: str, state: str) -> None:
    fields = [Field(header="job"), Field(header="state"), Field(header="name", least=10)]
    job_id = "0" * 36
    for width in range(20, 200):
        console = Console(file=io.StringIO(), width=width)
        with console.capture() as captured:
            print_listing(console, Listing(fields, [(job_id, state, name)] * 2))
        lines = captured.get().splitlines()
        is_table = "state  " in lines[0]
        assert is_table or width < 80
        assert not is_table or width > len(job_id) + len(state)
        assert not is_table or max(map(len, lines)) <= width
        assert sum(job_id in line for line in lines) == 2
        assert sum(state in line for line in lines) == 2
        assert is_table or sum(name in line for line in lines) == 2
