"""Writes result files with safe names."""

from __future__ import annotations

import errno
import re
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from maie_formats.clean import plain
from maie_formats.writers import Finished, MissingLibraryError, check_format, written

# File systems allow 255, and a number and an extension follow.
MAX_NAME_BYTES = 160
FALLBACK_NAME = "recording"
_UNSAFE = re.compile(r"[^\w.-]+")


class Names:
    """Gives each recording a unique name.

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
    """A name that is not a path, a hidden file or an option."""
    name = _UNSAFE.sub("-", plain(stem)).encode()[:MAX_NAME_BYTES].decode(errors="ignore")
    return name.strip(".-") or FALLBACK_NAME


def write_results(
    finished: Finished, folder: Path, name: str, formats: Iterable[str]
) -> list[Path]:
    """Writes a file for each format into the folder, replacing older ones.

    Raises:
        ResultError: A file cannot be written.
    """
    results = ResultFolder(folder)
    return [results.write(finished, name, extension) for extension in formats]


class ResultError(OSError):
    """A result cannot be written; names its path."""


class ResultFolder:
    """A folder for result files.

    Args:
        folder: The folder; created if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self) -> None:
        """Creates the folder.

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
        """Checks that result files can be written.

        Raises:
            ResultError: A file cannot be written.
        """
        for extension in formats:
            path = self._path(name, extension)
            try:
                check_format(extension)
            except MissingLibraryError as error:
                raise ResultError(errno.ENOPKG, str(error), str(path)) from error
            if path.is_dir() and not path.is_symlink():
                raise ResultError(errno.EISDIR, "A folder of that name is there", str(path))

    def write(self, finished: Finished, name: str, extension: str) -> Path:
        """Writes a result file, replacing an older one, and returns its path.

        Raises:
            ResultError: It cannot be written.
        """
        return self.put(f"{name}.{extension}", written(finished, extension))

    def put(self, name: str, content: bytes) -> Path:
        """Writes a file of this name, replacing an older one, and returns its path.

        Raises:
            ResultError: It cannot be written.
        """
        path = self._folder / name
        with _naming(path):
            self._folder.mkdir(parents=True, exist_ok=True)
            _replace(path, content)
        return path

    def _path(self, name: str, extension: str) -> Path:
        return self._folder / f"{name}.{extension}"


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ResultError(error.errno, error.strerror, str(path)) from error


def _replace(path: Path, content: bytes) -> None:
    """Writes the file atomically; replaces a link instead of following it."""
    temporary = path.with_name(f".{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
