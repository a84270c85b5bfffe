"""Installs the wheels into an environment that knows nothing of this checkout."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

WHOLE = "maie-cli[livekit,mesh]"
"""What brings all distributions: the command, and the mesh that `maie up` runs."""
LOCK = "locks/maie-cli.txt"
# A busy machine included; what hangs takes longer.
COMMAND_SECONDS = 900.0
RECORDING = "lib/python*/site-packages/maie_cli/doctor/speech.opus"
# Where modules come from; nowhere where there are none.
MODULES = """
import importlib.util, json, sys
specs = [spec for spec in map(importlib.util.find_spec, sys.argv[1:]) if spec]
print(json.dumps({spec.name: list(spec.submodule_search_locations) for spec in specs}))
"""


@dataclass(kw_only=True, frozen=True, slots=True)
class Installed:
    """An environment with the wheels.

    Attributes:
        folder: The environment.
        home: A folder of its own to work in.
    """

    folder: Path
    home: Path

    @property
    def recording(self) -> Path:
        """A recording that is part of a wheel."""
        (found,) = self.folder.glob(RECORDING)
        return found

    @property
    def environment(self) -> dict[str, str]:
        """Variables that name nothing of the checkout."""
        return {"HOME": str(self.home), "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin"}

    def command(self, name: str, *arguments: str | Path) -> list[str]:
        """A command of a program of the environment."""
        return [str(self.folder / "bin" / name), *map(str, arguments)]

    def run(self, name: str, *arguments: str | Path) -> str:
        """Runs a program of the environment; gives what it prints.

        Raises:
            CalledProcessError: It failed; the error has its output.
            TimeoutExpired: It hangs.
        """
        return _run(self.command(name, *arguments), cwd=self.home, env=self.environment)


def install(uv: Path, root: Path, wheels: Path, version: str, folder: Path) -> Installed:
    """Makes an environment of locked packages and of the wheels.

    Args:
        uv: The program.
        root: The checkout, for its lock.
        wheels: The folder of the wheels.
        version: Theirs.
        folder: Where the environment and its home go.

    Raises:
        CalledProcessError: It cannot be made; the error has the output.
    """
    made = Installed(folder=folder / "environment", home=folder / "home")
    made.home.mkdir(parents=True)
    pip: list[str | Path] = [uv, "pip", "install", "--quiet", "--python", made.folder]
    _run([uv, "venv", "--quiet", "--no-python-downloads", "--python", sys.executable, made.folder])
    _run([*pip, "--no-deps", "--require-hashes", "-r", root / LOCK])
    # Whatever the lock lacks cannot be found, here.
    _run([*pip, "--offline", "--no-index", "--find-links", wheels, f"{WHOLE}=={version}"])
    _run([uv, "pip", "check", "--python", made.folder])
    return made


def module_problems(installed: Installed, modules: Sequence[str]) -> Iterator[str]:
    """All modules are there, and come from the environment.

    Args:
        installed: The environment.
        modules: The modules of all distributions.
    """
    found: dict[str, list[str]] = json.loads(installed.run("python", "-c", MODULES, *modules))
    for name in modules:
        if name not in found:
            yield f"{WHOLE} does not bring {name}."
        for path in found.get(name, ()):
            if not Path(path).is_relative_to(installed.folder):
                yield f"{name} comes from {path}, not from its wheel."


def _run(
    command: Sequence[str | Path], *, cwd: Path | None = None, env: dict[str, str] | None = None
) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=COMMAND_SECONDS,
    )
    return done.stdout
