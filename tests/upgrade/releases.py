"""The release before this one, run from its own source beside this one's."""

from __future__ import annotations

import os
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Names a commit or a tag: that of the last release, or what stands for it until there is one.
REFERENCE = Path(__file__).with_name("release-before")
SOURCES = ("gateway", "libs", "services")
# With what it needs for a mesh without models.
ARCHIVED = (*SOURCES, "tests")


def commit_before() -> str:
    """What names the release before."""
    return REFERENCE.read_text().strip()


def no_release_before() -> str | None:
    """Why the release before cannot be run here; None where it can."""
    found = subprocess.run(
        ["git", "cat-file", "-e", f"{commit_before()}^{{commit}}"],
        check=False,
        capture_output=True,
        cwd=ROOT,
    )
    if found.returncode == 0:
        return None
    return (
        f"this clone does not have {commit_before()}, which {REFERENCE.name} names (git fetch "
        "--unshallow gets a shallow clone's history)"
    )


def unpack_before(folder: Path) -> str:
    """Writes the source of the release before to a folder; gives the PYTHONPATH that runs it.

    It runs with the packages of this environment, whatever its own locks say.
    """
    archive = subprocess.run(
        ["git", "archive", "--format=tar", commit_before(), *ARCHIVED],
        check=True,
        capture_output=True,
        cwd=ROOT,
    )
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return python_path(folder)


def python_path(root: Path) -> str:
    """The PYTHONPATH that runs the source below a folder."""
    members = sorted(path.parent for path in root.glob("*/pyproject.toml"))
    members += sorted(path.parent for path in root.glob("*/*/pyproject.toml"))
    kept = [path for path in members if path.relative_to(root).parts[0] in SOURCES]
    return os.pathsep.join(map(os.fspath, (root, *kept)))
