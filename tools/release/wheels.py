"""Builds the wheels of all distributions, and checks what they hold."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement

from tools.version import MEMBERS, ROOT

LICENCE = "LICENSE"
TYPED = "py.typed"
OURS = "maie-"
# What is built and not in git, by the package: a folder, and the file that is always in it.
BUILT = {"maie_web": ("maie_web/static/", "index.html")}


def members(root: Path) -> list[Path]:
    """The folders of the distributions."""
    return sorted(path.parent for pattern in MEMBERS for path in root.glob(pattern))


def build(uv: Path, member: Path, folder: Path) -> Path:
    """Builds the wheel of a distribution.

    Args:
        uv: The program.
        member: The distribution's folder.
        folder: Where the wheel goes, which may hold others.

    Raises:
        CalledProcessError: It cannot be built; the error has the output.
    """
    before = set(folder.glob("*.whl"))
    command = [uv, "build", "--wheel", "--offline", "--quiet", "--out-dir", folder, member]
    subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    (made,) = set(folder.glob("*.whl")) - before
    return made


def wheel_problems(wheel: Path, member: Path, version: str) -> Iterator[str]:
    """A wheel holds the files of its package that git knows, what is built, and the licence.

    Args:
        wheel: The wheel.
        member: The distribution's folder, in a repository of git.
        version: That of the release.
    """
    with ZipFile(wheel) as archive:
        files = [each.filename for each in archive.infolist() if not each.is_dir()]
        (metadata,) = [name for name in files if name.endswith(".dist-info/METADATA")]
        stated = HeaderParser().parsestr(archive.read(metadata).decode())
        licences = [archive.read(name) for name in files if name.endswith(f"/licenses/{LICENCE}")]
    held = {name for name in files if ".dist-info/" not in name}
    package = module(member)
    wanted = {name for name in _tracked(member) if name.startswith(f"{package}/")}
    folder, certain = BUILT.get(package, ("", ""))
    if folder and f"{folder}{certain}" not in held:
        yield f"{wheel.name}: {folder}{certain} is missing; run make console."
    held = {name for name in held if not folder or not name.startswith(folder)}
    for name in sorted(wanted - held):
        yield f"{wheel.name}: {name} is missing."
    for name in sorted(held - wanted):
        yield f"{wheel.name}: {name} is not in git."
    typed = f"{package}/{TYPED}"
    if typed not in held | wanted:
        yield f"{wheel.name}: {typed} is missing; without it, type checkers ignore the types."
    # PEP 639: the file is named in the metadata, and lies beside them.
    if licences != [(ROOT / LICENCE).read_bytes()] or stated.get_all("License-File") != [LICENCE]:
        yield f"{wheel.name}: it lacks the file {LICENCE} as it is at the root of the repository."
    if stated["Version"] != version:
        yield f"{wheel.name}: it is of version {stated['Version']}, not {version}."
    for required in map(Requirement, stated.get_all("Requires-Dist") or ()):
        if required.name.startswith(OURS) and str(required.specifier) != f"=={version}":
            yield f"{wheel.name}: it requires {required}, not {required.name}=={version}."


def module(member: Path) -> str:
    """The module of a distribution, by its folder."""
    project = tomllib.loads((member / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["tool"]["uv"]["build-backend"]["module-name"])


def _tracked(member: Path) -> list[str]:
    command = ["git", "ls-files", "-z", "--", "."]
    done = subprocess.run(command, cwd=member, check=True, capture_output=True, text=True)
    return done.stdout.split("\0")[:-1]
