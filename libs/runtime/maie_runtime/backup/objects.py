"""Copies the objects of jobs out of a store and into one, as they are stored."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import ObjectStore

from maie_runtime import folders
from maie_runtime.backup.errors import BackupError
from maie_runtime.backup.files import OBJECTS, PIECE_BYTES, Sums
from maie_runtime.blobs import LIST_CHUNK

AT_ONCE = 8


async def copy_objects_out(
    store: ObjectStore, folder: Path, sums: Sums, prefixes: Iterable[str] = folders.OF_JOBS
) -> None:
    """Copies what is not copied yet; an object that is removed meanwhile is left out.

    An object never changes under its key, so one that was copied needs no second look.

    Raises:
        BackupError: The store does not answer.
        OSError: The folder cannot be written.
    """

    async def copy(key: str) -> None:
        file = f"{OBJECTS}/{key}"
        if file not in sums:
            try:
                sums.add(file, await _copy_out(store, key, folder / file))
            except (NotFoundError, FileNotFoundError):
                (folder / file).unlink(missing_ok=True)

    with _store_errors():
        keys = [key for prefix in prefixes for key in stored_objects(store, prefix)]
        await _each(keys, copy)


async def copy_objects_in(
    store: ObjectStore, folder: Path, sizes: Mapping[str, int], there: Mapping[str, int]
) -> None:
    """Copies the objects that a store does not have.

    Args:
        store: The store.
        folder: The folder of the backup.
        sizes: The bytes of each object of the backup, by its key.
        there: The same of the store.

    Raises:
        BackupError: The store does not answer.
    """

    async def copy(key: str) -> None:
        await obstore.put_async(store, key, folder / OBJECTS / key)

    missing = [key for key, size in sizes.items() if there.get(key) != size]
    with _store_errors():
        await _each(missing, copy)


def stored_objects(store: ObjectStore, prefix: str) -> dict[str, int]:
    """The bytes of each object below a prefix, by its key.

    Raises:
        BackupError: The store does not answer.
    """
    with _store_errors():
        return {
            found["path"]: found["size"]
            for chunk in obstore.list(store, prefix, chunk_size=LIST_CHUNK)
            for found in chunk
        }


async def _copy_out(store: ObjectStore, key: str, path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    stored = await obstore.get_async(store, key)
    with path.open("wb") as file:
        async for piece in stored.stream(min_chunk_size=PIECE_BYTES):
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


async def _each(keys: Iterable[str], work: Callable[[str], Awaitable[None]]) -> None:
    """Works on all keys, a few at once."""
    left = iter(keys)

    async def work_on() -> None:
        for key in left:
            await work(key)

    workers = [asyncio.ensure_future(work_on()) for _ in range(AT_ONCE)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except BaseError as error:
        raise BackupError(
            "The object store does not answer or refuses; check MAIE_BLOB_URL and the store "
            "itself, and run the command again."
        ) from error
