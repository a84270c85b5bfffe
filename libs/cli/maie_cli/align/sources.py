"""Where many recordings are: a folder, or a bucket."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Protocol

import obstore
from obstore.store import ObjectStore

from maie_cli.align.budget import ByteBudget
from maie_cli.align.retries import CutShortError, again
from maie_cli.recordings import is_recording, recordings_in
from maie_runtime.object_store import open_store

READ_PART_BYTES = 1024 * 1024


@dataclass(kw_only=True, frozen=True, slots=True)
class Found:
    """A recording in a folder or a bucket.

    Attributes:
        name: Its name there.
        size: Its size, in bytes.
        version: What changes when it does; empty where only its content says that.
    """

    name: str
    size: int
    version: str = ""


class Source(Protocol):
    """A place with recordings.

    Attributes:
        keeps: Whether the file of a recording stays.
    """

    keeps: bool

    async def list(self) -> Mapping[str, Found]:
        """The recordings by their names.

        Raises:
            BaseError: The store fails.
            OSError: The folder cannot be read.
        """
        ...

    async def identity(self, found: Found) -> str:
        """What says that a recording is the same as before."""
        ...

    def fetch(self, found: Found) -> AbstractAsyncContextManager[Path]:
        """A recording as a file, which is there within the block.

        Raises:
            BaseError: The store fails.
            OSError: The recording cannot be read.
        """
        ...


class FolderSource:
    """The recordings of a folder, and of the folders within it."""

    keeps = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def list(self) -> Mapping[str, Found]:
        """See `Source.list`."""
        return await asyncio.to_thread(self._list)

    def _list(self) -> dict[str, Found]:
        paths = recordings_in(self._folder)
        names = {path.relative_to(self._folder).as_posix(): path for path in paths}
        return {name: Found(name=name, size=path.stat().st_size) for name, path in names.items()}

    async def identity(self, found: Found) -> str:
        """The digest of the content."""
        return await asyncio.to_thread(_sha256, self._folder / found.name)

    @asynccontextmanager
    async def fetch(self, found: Found) -> AsyncIterator[Path]:
        """The file itself."""
        yield self._folder / found.name


class BucketSource:
    """The recordings of a bucket, or below a prefix of it.

    Args:
        url: The bucket, such as s3://BUCKET/PREFIX.
        budget: The bytes that may be on their way, and in temporary files.

    Raises:
        ValueError: The URL names no store.
    """

    keeps = False

    def __init__(self, url: str, budget: ByteBudget) -> None:
        self._url = url
        self._store: ObjectStore = open_store(url)
        self._budget = budget

    async def list(self) -> Mapping[str, Found]:
        """See `Source.list`."""
        return await again(self._list)

    async def _list(self) -> dict[str, Found]:
        found = {}
        async for chunk in obstore.list(self._store):
            for each in chunk:
                name = each["path"]
                if is_recording(name):
                    version = each["version"] or each["e_tag"] or each["last_modified"].isoformat()
                    found[name] = Found(name=name, size=each["size"], version=version)
        return found

    async def identity(self, found: Found) -> str:
        """Its name, size and version: it does not have to be read for them."""
        return f"{self._url} {found.name} {found.size} {found.version}"

    @asynccontextmanager
    async def fetch(self, found: Found) -> AsyncIterator[Path]:
        """A copy in a temporary file, whose name has only the ending of the recording's."""
        async with self._budget.lend(found.size):
            with TemporaryDirectory(prefix="maie-align-") as folder:
                path = Path(folder) / f"recording{PurePosixPath(found.name).suffix.lower()}"
                await again(lambda: self._download(found.name, found.size, path))
                yield path

    async def _download(self, name: str, size: int, path: Path) -> None:
        try:
            got = await obstore.get_async(self._store, name)
        except FileNotFoundError as error:
            raise FileNotFoundError("It is gone since the bucket was listed.") from error
        left = size
        # A stream has no method to close it: it closes its connection when it is let go.
        stream = got.stream(min_chunk_size=READ_PART_BYTES)
        try:
            with path.open("wb") as file:
                async for piece in stream:
                    left -= len(piece)
                    await asyncio.to_thread(file.write, piece)
        finally:
            del stream, got
        if left:
            raise CutShortError(f"{name} has not the size with which it was listed")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
