"""The mesh that tests share has secrets planted in its variables: nothing of it shows one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mesh.conftest import RunningMesh
from tests.planted_secrets.planting import Planted
from tests.planted_secrets.searched_mesh import SearchedMesh

pytestmark = pytest.mark.mesh


async def test_a_mesh_in_use_shows_no_secret(
    shared_mesh: RunningMesh, planted: Planted, short_recording: Path
) -> None:
    mesh = SearchedMesh(mesh=shared_mesh, planted=planted, variables=planted.environment)
    await mesh.maie("process", short_recording, "--json")
    await mesh.doctor()
    assert "maie_gateway" in mesh.command_lines()
    assert len(await mesh.metrics()) == len(shared_mesh.pids()) - 1  # all but the broker
    assert {path.parts[0] for path in mesh.files()} >= {"logs", "nats", "blobs"}
    # A process has its variables, where its owner alone may read them.
    assert planted.shown_in(variables_of(shared_mesh.pids()["gateway"])) == (
        planted.environment.keys()
    )
    assert not mesh.said.shows(planted)


def variables_of(pid: int) -> str:
    """The variables of a process, as the kernel gives them."""
    return Path(f"/proc/{pid}/environ").read_text()
