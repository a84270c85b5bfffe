"""Checks that what is here can be released: python -m tools.release [--unreleased].

Builds the wheels of all distributions into build/release/wheels, installs them beside the locked
packages into an environment of their own, and uses them there. It prints all that is wrong, and
exits with status 1 where something is. With --unreleased it leaves out what only a release has: the
changelog's section of its version.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools.release.clean_install import install, module_problems
from tools.release.sources import changelog_problems, contract_problems, sbom_problems
from tools.release.use import use_problems
from tools.release.wheels import build, members, module, wheel_problems
from tools.version import ROOT, problems, version

UV = ROOT / ".venv/bin/uv"
WHEELS = ROOT / "build/release/wheels"


def main() -> None:
    """Runs all checks."""
    good = [
        is_well("one version everywhere", problems()),
        "--unreleased" in sys.argv[1:] or is_well("changelog", changelog_problems(ROOT)),
        is_well("contract", contract_problems(ROOT)),
        is_well("lists of packages (build/sbom)", sbom_problems(ROOT)),
        is_well("wheels (build/release/wheels)", _wheels()),
    ]
    # Wheels that are wrong are tried all the same.
    with tempfile.TemporaryDirectory(prefix="maie-release-") as folder:
        good.append(is_well("wheels alone, in a clean environment", _use(Path(folder))))
    sys.exit(0 if all(good) else 1)


def is_well(what: str, found: Iterable[str]) -> bool:
    """Prints what was checked, and what is wrong with it."""
    wrong: list[str] = []
    try:
        wrong.extend(found)
    except subprocess.CalledProcessError as error:
        wrong.append(f"{_words(error.cmd)} failed:\n{error.stdout or ''}{error.stderr or ''}")
    except subprocess.TimeoutExpired as error:
        wrong.append(f"{_words(error.cmd)} hangs.")
    print("✗" if wrong else "·", what, flush=True)
    for each in wrong:
        print(f"  {each}", flush=True)
    return not wrong


def _wheels() -> Iterator[str]:
    shutil.rmtree(WHEELS, ignore_errors=True)
    WHEELS.mkdir(parents=True)
    for member in members(ROOT):
        yield from wheel_problems(build(UV, member, WHEELS), member, version())


def _use(folder: Path) -> Iterator[str]:
    installed = install(UV, ROOT, WHEELS, version(), folder)
    yield from module_problems(installed, [module(each) for each in members(ROOT)])
    yield from use_problems(installed, version())


def _words(command: Iterable[object]) -> str:
    return " ".join(map(str, command))


if __name__ == "__main__":
    main()
