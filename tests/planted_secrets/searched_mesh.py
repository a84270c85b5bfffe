"""A local mesh with planted secrets, and all that it and the commands to it say."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import psutil

from maie_runtime.vault.key_file import new_line
from tests.cli import command
from tests.cli.command import Ended
from tests.collector import Collector, tracing_variables
from tests.mesh.conftest import RunningMesh, start_mesh
from tests.planted_secrets.planting import Planted, plant_bootstrap_key, plant_in_a_mesh
from tests.waiting import PATIENCE_SECONDS

# Where a mesh has credentials on the disk, for its owner only.
CREDENTIALS = "run"


@dataclass
class Said:
    """Texts, by who said them."""

    texts: list[tuple[str, str]] = field(default_factory=list)

    def add(self, who: str, text: str) -> str:
        """Keeps a text, to be searched."""
        self.texts.append((who, text))
        return text

    def shows(self, planted: Planted) -> list[tuple[str, set[str]]]:
        """Who shows secrets, and which."""
        found = [(who, planted.shown_in(text)) for who, text in self.texts]
        return [(who, shown) for who, shown in found if shown]

    def everything(self) -> str:
        """All texts."""
        return "\n".join(text for _, text in self.texts)


@dataclass(kw_only=True)
class SearchedMesh:
    """A mesh with planted secrets.

    Attributes:
        mesh: The mesh.
        planted: The secrets.
        variables: The mesh's, for commands.
        said: What was said so far.
    """

    mesh: RunningMesh
    planted: Planted
    variables: dict[str, str]
    said: Said = field(default_factory=Said)

    async def maie(self, *arguments: object, **changed: str) -> str:
        """Runs a command with the mesh's variables, and keeps what it says."""
        ended = await self._ended(*arguments, **changed)
        assert ended.code == 0, (arguments, ended)
        return ended.output + ended.errors

    async def doctor(self) -> None:
        """Runs `maie doctor`, which may find that others of this machine have the default ports."""
        ended = await self._ended("doctor", "--no-measure", "--profile", "tiny")
        bad = [line for line in ended.output.splitlines() if line.startswith("not ok")]
        assert all(line.startswith("not ok  ports") for line in bad), bad
        assert (ended.code, ended.errors) == (1 if bad else 0, "")

    async def _ended(self, *arguments: object, **changed: str) -> Ended:
        variables = {**self.variables, "MAIE_GATEWAY": self.mesh.gateway, **changed}
        variables.pop("PYTHONPATH", None)
        ended = await asyncio.to_thread(command.run, *arguments, environment=variables)
        self.said.add(f"maie {' '.join(map(str, arguments))}", ended.output + ended.errors)
        return ended

    def command_lines(self) -> str:
        """The arguments of every process of the mesh, as everybody on the machine sees them."""
        supervisor = psutil.Process(self.mesh.process.pid)
        lines = []
        for process in (supervisor, *supervisor.children(recursive=True)):
            content = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            lines.append(content.replace(b"\0", b" ").decode())
        return self.said.add("processes", "\n".join(lines))

    async def metrics(self) -> list[str]:
        """The metrics page of each part."""
        targets = json.loads(self.mesh.layout.metrics_file.read_text())
        pages = [
            await asyncio.to_thread(_read, f"http://{target['targets'][0]}/metrics")
            for target in targets
        ]
        return [self.said.add("metrics", page) for page in pages]

    def files(self) -> list[Path]:
        """Keeps what is in the mesh's folder, but for its credentials; gives the files."""
        found = []
        for path in self.mesh.layout.root.rglob("*"):
            name = path.relative_to(self.mesh.layout.root)
            if path.is_file() and name.parts[0] != CREDENTIALS:
                self.said.add(f"file {name}", path.read_bytes().decode("latin-1"))
                found.append(name)
        return found


@asynccontextmanager
async def searched_mesh(
    folder: Path, collector: Collector, **changed: str
) -> AsyncIterator[SearchedMesh]:
    """A local mesh with secrets in its variables; what it printed is kept at its end."""
    planted = plant_in_a_mesh()
    plant_bootstrap_key(planted, folder)
    variables = {
        **planted.environment,
        **tracing_variables(collector),
        # What is stored of a webhook is its secret as well, which only a master key encrypts.
        "MAIE_GATEWAY_MASTER_KEY": plant_master_key(planted, folder).as_uri(),
        "MAIE_LOG_LEVEL": "debug",
        "MAIE_METRICS_LISTEN": "127.0.0.1:0",
        "MAIE_WEBHOOKS_ALLOWED_NETWORKS": '["127.0.0.0/8"]',
        **changed,
    }
    mesh = await asyncio.to_thread(start_mesh, folder / "data", "--profile", "tiny", **variables)
    searched = SearchedMesh(mesh=mesh, planted=planted, variables=variables)
    try:
        yield searched
    finally:
        searched.said.add("maie up", await asyncio.to_thread(_stop, mesh.process))
        searched.said.add("maie up", (folder / "data.log").read_text())


def plant_master_key(planted: Planted, folder: Path) -> Path:
    """Plants a master key, in a file."""
    file = folder / "master"
    file.write_text(new_line())
    file.chmod(0o600)
    planted.secrets["master key"] = file.read_text().strip()
    return file


def _stop(process: subprocess.Popen[str]) -> str:
    process.terminate()
    return process.communicate(timeout=PATIENCE_SECONDS)[0]


def _read(url: str) -> str:
    with urlopen(url, timeout=PATIENCE_SECONDS) as page:
        return str(page.read().decode())
