"""The files of a backup, and the list of their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from maie_core.models import file_sha256
from maie_runtime.backup.manifest import MANIFEST, Manifest, damaged

STREAMS, OBJECTS = "streams", "objects"
SUMS = "SHA256SUMS"
PIECE_BYTES = 1024 * 1024


def snapshot_file(stream: str) -> str:
    """Where the server's archive of a stream is."""
    return f"{STREAMS}/{stream}.snapshot"


def later_file(stream: str) -> str:
    """Where the messages of a stream are that were stored since its snapshot began."""
    return f"{STREAMS}/{stream}.later"


class Sums:
    """The digests of files; written as `sha256sum --check` reads them.

    Args:
        folder: The folder of the backup.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sums: dict[str, str] = {}

    def __contains__(self, file: str) -> bool:
        return file in self._sums

    def add(self, file: str, digest: str) -> None:
        """Notes a file's SHA-256."""
        self._sums[file] = digest

    def write(self) -> str:
        """Writes the list; returns its own SHA-256."""
        lines = (f"{digest}  {file}\n" for file, digest in sorted(self._sums.items()))
        data = "".join(lines).encode()
        (self._folder / SUMS).write_bytes(data)
        return hashlib.sha256(data).hexdigest()


def verified(folder: Path, manifest: Manifest) -> dict[str, int]:
    """Reads every file of a backup and compares its digest.

    Returns:
        The size of each object by its key.

    Raises:
        BackupError: A file is missing, differs or is one too many.
    """
    listed = _listed(folder, manifest)
    there = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file()
    }
    for file in there.keys() ^ (listed.keys() | {MANIFEST, SUMS}):
        raise damaged(folder, file)
    for file, digest in listed.items():
        if file_sha256(folder / file) != digest:
            raise damaged(folder, file)
    prefix = f"{OBJECTS}/"
    objects = {
        file.removeprefix(prefix): size for file, size in there.items() if file.startswith(prefix)
    }
    if (len(objects), sum(objects.values())) != (manifest.objects, manifest.object_bytes):
        raise damaged(folder, MANIFEST)
    return objects


def _listed(folder: Path, manifest: Manifest) -> dict[str, str]:
    path = folder / SUMS
    if not path.is_file() or file_sha256(path) != manifest.sums:
        raise damaged(folder, SUMS)
    pairs = (line.split("  ", 1) for line in path.read_text(encoding="utf-8").splitlines())
    return {file: digest for digest, file in pairs}


def pieces(path: Path, size: int = PIECE_BYTES) -> Iterator[bytes]:
    """The bytes of a file, piece by piece."""
    with path.open("rb") as file:
        while piece := file.read(size):
            yield piece
