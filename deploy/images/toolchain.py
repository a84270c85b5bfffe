"""Collects the compiler of the machine: toolchain.py ROOTFS. Needs Python and `dpkg-query` alone.

Triton calls it while it runs, and has it link to Python and to CUDA's driver.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

# Python's headers are Debian's where its interpreter is.
COMPILER, HEADERS = "g++", "libpython3-dev"
DPKG_QUERY = "/usr/bin/dpkg-query"
# Packages that a compiler works without: shells, and what installs and documents other packages.
LEFT_OUT = {"dpkg", "install-info", "media-types", "perl", "perl-base", "tar"}
# Documentation, configuration and Python's standard library, which the image has already.
LEFT_OUT_FOLDERS = {
    Path("/usr/share"),
    Path("/etc"),
    Path("/var"),
    Path(sysconfig.get_path("stdlib")),
}
NAME = re.compile(r"^[a-z0-9.+-]+")


def collect(rootfs: Path) -> None:
    """Copies the compiler, what it depends on, and Python's headers into the folder `rootfs`.

    Raises:
        LookupError: The machine has no compiler of Debian's packages.
    """
    depends = _depends()
    if COMPILER not in depends:
        raise LookupError(f"the base image has no {COMPILER}, which Triton needs")
    wanted = [COMPILER, *(each for each in (HEADERS,) if each in depends)]
    for file in _files(_closure(wanted, depends)):
        _copy(file, rootfs)
    headers = Path(sysconfig.get_path("include", "posix_prefix"))
    if not (headers / "Python.h").is_file():
        raise LookupError(f"the base image has no {headers}/Python.h, which Triton needs")
    shutil.copytree(headers, rootfs / headers.relative_to("/"), dirs_exist_ok=True)


def _depends() -> dict[str, list[str]]:
    """Each installed package with the names of what it depends on."""
    form = "${db:Status-Abbrev}\t${Package}\t${Pre-Depends}, ${Depends}\n"
    depends = {}
    for line in _output(DPKG_QUERY, "-W", "-f", form).splitlines():
        status, name, needs = line.split("\t")
        if status.startswith("ii"):
            depends[name] = [
                found[0] for each in needs.split(",") if (found := NAME.match(each.strip()))
            ]
    return depends


def _closure(wanted: list[str], depends: dict[str, list[str]]) -> set[str]:
    found: set[str] = set()
    names = list(wanted)
    while names:
        name = names.pop()
        if name in depends and name not in found | LEFT_OUT:
            found.add(name)
            names += depends[name]
    return found


def _files(packages: set[str]) -> Iterator[Path]:
    for line in _output(DPKG_QUERY, "-L", *sorted(packages)).splitlines():
        file = Path(line)
        if (
            line.startswith("/")
            and not (LEFT_OUT_FOLDERS & set(file.parents))
            and not file.is_dir()
        ):
            yield file


def _copy(file: Path, rootfs: Path) -> None:
    target = rootfs / file.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists() and not target.is_symlink() and (file.exists() or file.is_symlink()):
        shutil.copy2(file, target, follow_symlinks=False)


def _output(*command: str) -> str:
    return subprocess.run(  # noqa: S603 - a query of the machine's packages
        command, capture_output=True, text=True, check=True
    ).stdout


if __name__ == "__main__":
    collect(Path(sys.argv[1]))
