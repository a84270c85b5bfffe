"""Every command of the README, as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from typer.main import get_command

from maie_cli.app import app
from tests.mesh.conftest import ROOT, SAMPLE_RATE, RunningMesh, sample_audio, start_mesh

pytestmark = pytest.mark.mesh

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line]
STAND_IN_FOR_GRPCURL = ROOT / "tests" / "examples" / "bin"
# The mesh of these tests is one of `maie up` without options; tests/mesh/test_cli.py has others.
STARTS_A_MESH = "maie up"


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMesh]:
    """A mesh with the engines that a newcomer has, unlike that of other tests."""
    running = start_mesh(tmp_path_factory.mktemp("newcomer") / "data")
    with running.process:
        yield running
        running.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The repository's files, with a sample of two sentences, which the demo reads."""
    for name in ("examples", "protos", "node_modules"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "samples").mkdir()
    write_flac(tmp_path / "samples" / "standup.flac", sample_audio(9.0))
    return tmp_path


def write_flac(path: Path, audio: bytes) -> None:
    """Writes 16 kHz mono s16 as FLAC."""
    samples = np.frombuffer(audio, np.int16).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono")
        container.mux([*stream.encode(frame), *stream.encode(None)])


def run(command: str, mesh: RunningMesh, folder: Path) -> str:
    """Runs a command in a folder laid out as the repository, against the tests' mesh."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}:{STAND_IN_FOR_GRPCURL}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command.replace("localhost:50051", mesh.gateway)],
        cwd=folder,
        env={**os.environ, "PATH": path, "MAIE_GATEWAY": mesh.gateway},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_make_commands_are_run_by_ci() -> None:
    ci = (ROOT / ".ci" / "run").read_text().splitlines()
    made = [command for command in COMMANDS if command.startswith("make ")]
    assert "make demo" in made
    assert "make test" in made
    assert set(made) <= set(ci)


@pytest.mark.parametrize(
    "command",
    [c for c in COMMANDS if not c.startswith("make ") and not c.startswith(STARTS_A_MESH)],
)
@pytest.mark.slow
def test_a_command_of_the_readme_works(command: str, mesh: RunningMesh, folder: Path) -> None:
    assert run(command, mesh, folder) or list((folder / "results").iterdir())


def test_every_variable_of_the_readme_is_one_that_is_read() -> None:
    listed = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    read = set(re.findall(r"`(MAIE_[A-Z_]+)`", listed)) | _variables_of_options(get_command(app))
    named = set(re.findall(r"^\| `(MAIE_[A-Z_]+)`", README, re.MULTILINE))
    assert named
    assert named <= read


def _variables_of_options(command: Any) -> set[str]:
    """The variables that stand in for options of a command and of those below it."""
    found = {option.envvar for option in command.params if isinstance(option.envvar, str)}
    return found.union(*map(_variables_of_options, getattr(command, "commands", {}).values()))
