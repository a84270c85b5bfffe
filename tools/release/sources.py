"""What the sources must have for a release."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from tools.version import version

CHANGELOG = "CHANGELOG.md"
CONTRACT = "protos/released.binpb"
PACKAGES = "protos/maie/*/v*"
UNRELEASED = "Unreleased"
SBOMS = "build/sbom"
LOCKS = "locks/maie-*.txt"
_SECTION = re.compile(r"^## (.+)$", re.M)
_LOCKED = re.compile(r"^([a-z0-9._-]+)==", re.M)
_DATED = r"{} - \d{{4}}-\d{{2}}-\d{{2}}"


def changelog_problems(root: Path) -> Iterator[str]:
    """The version has a section with its date and entries, and nothing waits for a later one.

    The section names the contract and the chart of the release.
    """
    wanted = version(root)
    found = sections((root / CHANGELOG).read_text(encoding="utf-8"))
    of_version = [title for title in found if title.split(" ")[0] == wanted]
    if not of_version:
        yield f"{CHANGELOG}: there is no section `## {wanted} - DATE`."
    for title in of_version:
        if not re.fullmatch(_DATED.format(re.escape(wanted)), title):
            yield f"{CHANGELOG}: `## {title}` has no date; write `## {wanted} - YYYY-MM-DD`."
        if not found[title]:
            yield f"{CHANGELOG}: the section `## {title}` is empty."
        elif (line := released_parts(root)) not in found[title].splitlines():
            yield f"{CHANGELOG}: the section `## {title}` lacks the line `{line}`."
    if found.get(UNRELEASED):
        yield (
            f"{CHANGELOG}: `## {UNRELEASED}` has entries, which this release has; move them to "
            f"`## {wanted} - DATE`."
        )


def released_parts(root: Path) -> str:
    """The line about the contract and the chart of a release."""
    contract = sorted({path.name for path in root.glob(PACKAGES)})
    return f"Contract: {', '.join(contract)}. Chart: {version(root)}."


def contract_problems(root: Path) -> Iterator[str]:
    """From 1.0.0 on, the contract is frozen."""
    wanted = version(root)
    if int(wanted.partition(".")[0]) >= 1 and not (root / CONTRACT).exists():
        yield f"{CONTRACT} is missing: from 1.0.0 on the contract is frozen; make release-contract."


def sbom_problems(root: Path) -> Iterator[str]:
    """Each deployable has a list of all that it installs, of this version."""
    for lock in sorted(root.glob(LOCKS)):
        path = root / SBOMS / f"{lock.stem}.cdx.json"
        if not path.exists():
            yield f"{SBOMS}/{path.name} is missing: make sbom."
            continue
        document = json.loads(path.read_text(encoding="utf-8"))
        stated = document["metadata"]["component"]["version"]
        if stated != version(root):
            yield f"{SBOMS}/{path.name} is of version {stated}: make sbom."
        listed = {each["name"] for each in document["components"]}
        locked = set(_LOCKED.findall(lock.read_text(encoding="utf-8")))
        if missing := sorted(locked - listed):
            yield f"{SBOMS}/{path.name} lacks {', '.join(missing)}: make sbom."


def sections(text: str) -> dict[str, str]:
    """The sections of a changelog by their titles."""
    _, *parts = _SECTION.split(text)
    return {
        title.strip(): body.strip() for title, body in zip(parts[::2], parts[1::2], strict=True)
    }
