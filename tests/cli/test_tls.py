"""The command with a gateway that takes TLS, and one that does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.certificates import TestCa
from tests.cli.command import maie_at
from tests.gateway.conftest import EmptyMesh, empty_mesh  # noqa: F401

pytestmark = pytest.mark.mesh


@pytest.fixture
def ca(tmp_path: Path) -> TestCa:
    """The CA of the gateway's certificate."""
    return TestCa(folder=tmp_path / "certificates")


@pytest.fixture
async def secure(empty_mesh: EmptyMesh, ca: TestCa) -> AsyncIterator[str]:  # noqa: F811
    """A gateway with TLS; gives its address."""
    empty_mesh.mesh = ca.settings("gateway", empty_mesh.mesh)
    async with empty_mesh.gateway() as address:
        yield address


async def test_a_ca_file_or_a_scheme_means_tls(secure: str, ca: TestCa) -> None:
    for address in (secure, f"https://{secure}"):
        environment = {"MAIE_CA_FILE": str(ca.ca_file)}
        code, output, errors = await maie_at(address, "jobs", "list", environment=environment)
        assert (code, output, errors) == (0, "", "there are no such jobs\n")


async def test_without_tls_the_command_says_that_it_is_needed(secure: str) -> None:
    code, output, errors = await maie_at(secure, "jobs", "list")
    assert (code, output) == (3, "")
    assert errors == (f"error: The gateway at {secure} takes TLS only; write https://{secure}.\n")


@pytest.mark.parametrize("variable", ["MAIE_TLS", ""])
async def test_an_unknown_ca_is_one_line(secure: str, variable: str) -> None:
    address = secure if variable else f"https://{secure}"
    environment = {variable: "1"} if variable else {}
    code, output, errors = await maie_at(address, "jobs", "list", environment=environment)
    assert (code, output) == (3, "")
    assert errors.count("\n") == 1
    assert "MAIE_CA_FILE" in errors


async def test_tls_with_a_gateway_that_has_none_is_one_line(
    empty_mesh: EmptyMesh,  # noqa: F811
) -> None:
    async with empty_mesh.gateway() as address:
        code, output, errors = await maie_at(f"https://{address}", "jobs", "list")
    assert (code, output) == (3, "")
    assert errors == (
        f"error: What answers at https://{address} does not take TLS; leave out https://.\n"
    )


async def test_the_doctor_looks_over_tls(secure: str, ca: TestCa, tmp_path: Path) -> None:
    environment = {"MAIE_CA_FILE": str(ca.ca_file)}
    _, output, errors = await maie_at(
        secure, "doctor", "--no-measure", "--data", tmp_path, environment=environment
    )
    assert errors == "", output
    assert f"serving at https://{secure}" in output, output
