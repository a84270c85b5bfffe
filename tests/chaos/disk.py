"""A disk that is small enough to be filled: a tmpfs, which only root may mount."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

SIZE_MEBIBYTES = 64
FILLER = "filler"
PIECE_BYTES = 1024 * 1024


@cache
def no_small_disk() -> str | None:
    """Why no small disk can be had here; None where it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a small disk is a tmpfs, which only root on Linux may mount"
    try:
        with tempfile.TemporaryDirectory() as folder, small_disk(Path(folder)):
            return None
    except RuntimeError as error:
        return str(error)


class SmallDisk:
    """A mounted disk of SIZE_MEBIBYTES.

    Args:
        folder: Where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def fill(self) -> None:
        """Takes all the space that is left, to the last byte."""
        await asyncio.to_thread(self._fill)

    def _fill(self) -> None:
        piece = PIECE_BYTES
        with (self.folder / FILLER).open("ab", buffering=0) as filler:
            while piece:
                try:
                    filler.write(bytes(piece))
                except OSError:
                    piece //= 2

    def free(self) -> None:
        """Gives the space back."""
        (self.folder / FILLER).unlink()


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Mounts a small disk on a folder, which is made where it is missing.

    Raises:
        RuntimeError: It cannot be mounted; the message says why.
    """
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={SIZE_MEBIBYTES}m,mode=0700"
    mounting = ["mount", "-t", "tmpfs", "-o", options, "maie-chaos", os.fspath(folder)]
    done = subprocess.run(mounting, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"no tmpfs can be mounted here: {done.stderr.strip().splitlines()[0]}")
    try:
        yield SmallDisk(folder)
    finally:
        # Lazily: a part that was killed may be seen a moment longer.
        subprocess.run(["umount", "--lazy", os.fspath(folder)], check=True)
