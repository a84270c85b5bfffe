"""The version of maie is in the file VERSION: python -m tools.version --check | NUMBER.

All that has to state it has a copy: each distribution, also of what it requires of the others; the
chart and the compose file. NUMBER becomes the version, in all copies as well; with --check, those
that differ are named, and the exit status is 1.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILE = "VERSION"
# What packages, charts and images all take; pre-releases have another form in each.
NUMBER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
MEMBERS = ("gateway/pyproject.toml", "libs/*/pyproject.toml", "services/*/pyproject.toml")
CHART = ("helm/maie/Chart.yaml",)


@dataclass(kw_only=True, frozen=True, slots=True)
class Place:
    """Where copies are.

    Attributes:
        files: The files, as patterns from the root.
        copy: Finds a copy; its group is what `form` gives.
        form: How a copy states a version.
        everywhere: Whether each of the files has one.
    """

    files: tuple[str, ...]
    copy: re.Pattern[str]
    form: str = "{}"
    everywhere: bool = True


PLACES = (
    Place(files=MEMBERS, copy=re.compile(r'^version = "(.*)"$', re.M)),
    # A release is installed as a whole.
    Place(
        files=MEMBERS,
        copy=re.compile(r'(?<!name = )(?<!DEP002 = \[)"maie-[a-z]+(?:\[[a-z,-]+\])?([^"\[\]]*)"'),
        form="=={}",
        everywhere=False,
    ),
    Place(files=CHART, copy=re.compile(r"^version: (.*)$", re.M)),
    Place(files=CHART, copy=re.compile(r'^appVersion: "(.*)"$', re.M)),
    Place(
        files=("helm/maie/values/*.yaml",),
        copy=re.compile(r"\btag: ([\d.]+)-cuda\b"),
        everywhere=False,
    ),
    Place(files=("deploy/compose.yaml",), copy=re.compile(r"\$\{VERSION:-(.*?)\}")),
)


def version(root: Path = ROOT) -> str:
    """The version."""
    return (root / FILE).read_text(encoding="utf-8").strip()


def problems(root: Path = ROOT) -> list[str]:
    """What is wrong with the version and its copies, one sentence each."""
    wanted = version(root)
    if not NUMBER.fullmatch(wanted):
        return [f"{FILE}: {wanted!r} is no version; write three numbers, such as 1.2.0."]
    return [problem for place in PLACES for problem in _differing(root, place, wanted)]


def write(number: str, root: Path = ROOT) -> None:
    """Makes a number the version, also of all copies.

    Raises:
        ValueError: It is no version.
    """
    if not NUMBER.fullmatch(number):
        raise ValueError(f"{number!r} is no version; write three numbers, such as 1.2.0.")
    (root / FILE).write_text(f"{number}\n", encoding="utf-8")
    for place in PLACES:
        for path in _files(root, place):
            text = path.read_text(encoding="utf-8")
            for found in reversed(list(place.copy.finditer(text))):
                text = text[: found.start(1)] + place.form.format(number) + text[found.end(1) :]
            path.write_text(text, encoding="utf-8")


def _differing(root: Path, place: Place, wanted: str) -> Iterator[str]:
    for path in _files(root, place):
        name, text = path.relative_to(root), path.read_text(encoding="utf-8")
        copies = list(place.copy.finditer(text))
        if place.everywhere and not copies:
            yield f"{name}: there is no copy of the version ({place.copy.pattern})."
        for found in copies:
            if found[1] != place.form.format(wanted):
                line = text.count("\n", 0, found.start()) + 1
                yield f"{name}:{line}: {found[0]!r} is not of version {wanted}."


def _files(root: Path, place: Place) -> list[Path]:
    return sorted(path for pattern in place.files for path in root.glob(pattern))


def main() -> None:
    """Checks the copies, or writes a new version."""
    match sys.argv[1:]:
        case ["--check"]:
            found = problems()
            print("".join(f"{each}\n" for each in found), end="")
            sys.exit(1 if found else 0)
        case [number]:
            try:
                write(number)
            except ValueError as error:
                sys.exit(str(error))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
