"""Prints the folders of a part's members of the workspace: members.py PART. Needs Python alone."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PATTERNS = ("gateway", "libs/*", "services/*")


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
            names += project.get("tool", {}).get("uv", {}).get("sources", {})
    return sorted(found.values())


def _project(file: Path) -> dict:  # type: ignore[type-arg]
    return tomllib.loads(file.read_text()) if file.is_file() else {}


if __name__ == "__main__":
    print(*members(sys.argv[1]), sep="\n")
