"""Result files with names that are safe whatever the recording was called."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from pathlib import Path

from maie_cli.formats.clean import plain
from maie_cli.formats.writers import WRITERS, Finished

# File systems take 255, and a number and an extension are to come.
MAX_NAME_BYTES = 160
FALLBACK_NAME = "recording"
_UNSAFE = re.compile(r"[^\w.-]+")


class Names:
    """Gives each recording a name of its own.

    Two recordings of the same name, from different folders, become "talk" and
    "talk-2".
    """

    def __init__(self) -> None:
        self._given: set[str] = set()

    def of(self, recording: Path) -> str:
        """A file name without extension: letters, digits, dots, dashes and underscores."""
        base = safe_name(recording.stem)
        name, number = base, 1
        while name.casefold() in self._given:
            number += 1
            name = f"{base}-{number}"
        self._given.add(name.casefold())
        return name


def safe_name(stem: str) -> str:
    """A name that is no path, is not hidden and is no option."""
    name = _UNSAFE.sub("-", plain(stem)).encode()[:MAX_NAME_BYTES].decode(errors="ignore")
    return name.strip(".-") or FALLBACK_NAME


def write_results(
    finished: Finished, folder: Path, name: str, formats: Iterable[str]
) -> list[Path]:
    """Writes a file for each format into the folder, replacing older ones.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for extension in formats:
        path = folder / f"{name}.{extension}"
        _replace(path, WRITERS[extension](finished))
        written.append(path)
    return written


def _replace(path: Path, text: str) -> None:
    """Puts the whole file in place at once; a link there is replaced, not followed."""
    temporary = path.with_name(f".{secrets.token_hex(8)}")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
