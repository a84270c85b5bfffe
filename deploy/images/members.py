"""Prints the folders of a part's members of the workspace: members.py PART. Needs Python alone.

The extra `mesh`, by which the cli runs all parts itself, is no part of an image.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PATTERNS = ("gateway", "libs/*", "services/*")
LEFT_OUT = "mesh"
NAME = re.compile(r"[a-z0-9-]+")


def members(part: str) -> list[Path]:
    """The folders of a part and of all members that it needs, directly or not.

    Raises:
        KeyError: There is no such part.
    """
    folders = [folder for pattern in PATTERNS for folder in ROOT.glob(pattern)]
    projects = {
        project["project"]["name"]: (folder, project)
        for folder in folders
        if (project := _project(folder / "pyproject.toml"))
    }
    found: dict[str, Path] = {}
    names = [f"maie-{part}"]
    while names:
        name = names.pop()
        if name not in found:
            found[name], project = projects[name]
            names += [each for each in _required(project["project"]) if each in projects]
    return sorted(found.values())


def _required(project: dict) -> Iterator[str]:  # type: ignore[type-arg]
    extras = project.get("optional-dependencies", {})
    kept = [extra for name, extra in extras.items() if name != LEFT_OUT]
    for requirement in chain(project.get("dependencies", ()), *kept):
        yield NAME.match(requirement)[0]  # type: ignore[index]


def _project(file: Path) -> dict:  # type: ignore[type-arg]
    return tomllib.loads(file.read_text()) if file.is_file() else {}


if __name__ == "__main__":
    print(*members(sys.argv[1]), sep="\n")
