"""Result files with names that are safe whatever the recording was called."""

from __future__ import annotations

import errno
import re
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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
        ResultError: One cannot be written.
    """
    results = ResultFolder(folder)
    return [results.write(finished, name, extension) for extension in formats]


class ResultError(OSError):
    """A result cannot be written; names the path that a person knows."""


class ResultFolder:
    """A folder for result files.

    Args:
        folder: The folder; made where it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self) -> None:
        """Makes the folder.

        Raises:
            ResultError: No file can be written into it.
        """
        with _naming(self._folder):
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except FileExistsError:
                raise NotADirectoryError(errno.ENOTDIR, "It is a file, not a folder") from None
            with tempfile.TemporaryFile(dir=self._folder):
                pass

    def check(self, name: str, formats: Iterable[str]) -> None:
        """Looks whether result files can be put in place.

        Raises:
            ResultError: Something is in the way of one.
        """
        for extension in formats:
            path = self._path(name, extension)
            if path.is_dir() and not path.is_symlink():
                raise ResultError(errno.EISDIR, "A folder of that name is there", str(path))

    def write(self, finished: Finished, name: str, extension: str) -> Path:
        """Writes a result file, replacing an older one, and gives its path.

        Raises:
            ResultError: It cannot be written.
        """
        path = self._path(name, extension)
        text = WRITERS[extension](finished)
        with _naming(path):
            self._folder.mkdir(parents=True, exist_ok=True)
            _replace(path, text)
        return path

    def _path(self, name: str, extension: str) -> Path:
        return self._folder / f"{name}.{extension}"


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ResultError(error.errno, error.strerror, str(path)) from error


def _replace(path: Path, text: str) -> None:
    """Puts the whole file in place at once; a link there is replaced, not followed."""
    temporary = path.with_name(f".{secrets.token_hex(8)}")
    try:
        with temporary.open("x", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
