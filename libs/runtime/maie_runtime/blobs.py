"""Content-addressed objects in any store that obstore supports."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import (
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import obstore
import structlog
from google.protobuf.message import DecodeError, Message
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import ObjectStore
from opentelemetry import trace
from opentelemetry.metrics import Meter
from opentelemetry.trace import NoOpTracer, Tracer

from maie.common.v1 import types_pb2 as common
from maie_core.attributes import BYTES
from maie_core.errors import Code, StageError, invalid
from maie_core.limits import MAX_BLOB_KEY_CHARACTERS
from maie_core.metrics import NO_METER
from maie_core.reasons import Reason
from maie_core.recent_count import RecentCount
from maie_core.spans import slow_span
from maie_runtime import folders
from maie_runtime.blob_writer import BlobWriter, blob_key
from maie_runtime.object_store import directory_of, open_store
from maie_runtime.vault.data_key import DataKey, SealError
from maie_runtime.vault.sealed_blob import (
    HEADER_BYTES,
    SEGMENT_BYTES,
    BlobOpener,
    is_sealed_blob,
    open_whole,
    salt_of,
    sealed_whole,
    stored_range,
)
from maie_runtime.vault.vault import Vault

log = structlog.get_logger()

MessageT = TypeVar("MessageT", bound=Message)
ReadT = TypeVar("ReadT")

# obstore's default of 10 MiB leaves some 50 MB of freed memory in the process after a download.
READ_PART_BYTES = 1024 * 1024
RETRY_AFTER = timedelta(seconds=5)
# S3 removes up to 1000 objects in one request.
LIST_CHUNK = 1000
# obstore reports the system's errors only in its messages.
NO_SPACE = tuple(f"(os error {number})" for number in (errno.ENOSPC, errno.EDQUOT))
_FAILURES = (
    Reason.BLOB_CORRUPT,
    Reason.BLOB_MISSING,
    Reason.BLOB_STORE_FULL,
    Reason.BLOB_STORE_UNAVAILABLE,
)
_NAME = r"(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._=-]+"
_KEY = re.compile(rf"{_NAME}(?:/{_NAME})*")
# obstore's names for incomplete files.
PARTIAL_GLOB = "*#[0-9]*"


@dataclass(kw_only=True, frozen=True, slots=True)
class StoredObject:
    """An object in a listing.

    Attributes:
        key: The object's key.
        modified: When it was last written, by the store's clock.
    """

    key: str
    modified: datetime


def _missing(key: str) -> StageError:
    return StageError(
        Code.DATA_LOSS,
        Reason.BLOB_MISSING,
        f"The stored object {key} is gone; submit the recording again.",
    )


def _unavailable(error: Exception) -> StageError:
    if any(sign in str(error) for sign in NO_SPACE):
        return StageError(
            Code.UNAVAILABLE,
            Reason.BLOB_STORE_FULL,
            "The object store is full; free some of its space and try again.",
            retry_after=RETRY_AFTER,
        )
    return StageError(
        Code.UNAVAILABLE,
        Reason.BLOB_STORE_UNAVAILABLE,
        "The object store does not answer; check MAIE_BLOB_URL and the store itself.",
        retry_after=RETRY_AFTER,
    )


def _corrupt(key: str) -> StageError:
    return StageError(
        Code.DATA_LOSS,
        Reason.BLOB_CORRUPT,
        f"The stored object {key} is damaged: its content is not what was stored; "
        "submit the recording again.",
    )


@contextmanager
def _seal_errors(blob: common.Blob) -> Iterator[None]:
    try:
        yield
    except SealError as error:
        log.error("blob.seal_broken", key=blob.key)
        raise _corrupt(blob.key) from error


def _check_key(key: str) -> None:
    """Refuses an invalid key before it reaches a file system or a bucket."""
    if not _KEY.fullmatch(key) or len(key) > MAX_BLOB_KEY_CHARACTERS:
        raise invalid(
            Reason.BLOB_KEY_INVALID,
            "The key of a stored object is a relative path of letters, digits, `.`, `_`, `-` and "
            "`=`, without `..`; name the object as it was stored.",
            field="key",
        )


def _read(store: ObjectStore, key: str) -> bytes:
    return bytes(obstore.get(store, key).bytes())


def _delete_files(store: ObjectStore, keys: list[str]) -> None:
    for key in keys:
        with suppress(NotFoundError, FileNotFoundError):
            obstore.delete(store, key)


def _remove_partials(directory: Path, before: float) -> None:
    for path in directory.rglob(PARTIAL_GLOB):
        with suppress(FileNotFoundError):
            if path.is_file() and path.stat().st_mtime < before:
                path.unlink()


class Blobs:
    """An object store that verifies the hash of each object when it is read.

    Args:
        url: The URL of the store: `file:///DIR` or `s3://BUCKET/PREFIX`. S3
            takes its credentials from the usual AWS_ variables.
        vault: Has the keys of jobs whose objects are sealed.
        meter: Makes the metrics of the store.
        tracer: Makes spans of whole reads and writes, within work that is traced.

    Attributes:
        faults: The errors of the store within the last minutes.

    Raises:
        StageError: UNAVAILABLE with BLOB_STORE_UNAVAILABLE if the store
            does not answer, or with BLOB_STORE_FULL; DATA_LOSS with BLOB_MISSING
            or BLOB_CORRUPT if an object is missing or differs; INVALID_ARGUMENT
            with BLOB_KEY_INVALID for an invalid key; and as `Vault` where a job's objects are
            sealed.
        ValueError: The URL names no store.
    """

    def __init__(
        self,
        url: str,
        vault: Vault | None = None,
        meter: Meter = NO_METER,
        tracer: Tracer | None = None,
    ) -> None:
        self._vault = vault or Vault()
        self._tracer = tracer or NoOpTracer()
        self.faults = RecentCount()
        self._failures = meter.create_counter(
            "maie.store.errors",
            unit="{error}",
            description="Errors of the object store, by reason; see docs/reasons.md.",
        )
        for reason in _FAILURES:
            # A counter that is absent until its first error has no rate for it.
            self._failures.add(0, {"reason": reason.value})
        self.scheme = urlsplit(url).scheme
        self._directory = directory_of(url)
        self._store = open_store(url)

    @contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except (NotFoundError, FileNotFoundError) as error:
            raise self._counted(_missing(key)) from error
        except (BaseError, OSError) as error:
            raise self._counted(_unavailable(error)) from error

    def _check(self, blob: common.Blob, digest: str) -> None:
        if digest != blob.sha256:
            # The digests are only for the operator: a digest is enough to read the object.
            log.error("blob.corrupt", key=blob.key, sha256=digest, expected=blob.sha256)
            raise self._counted(_corrupt(blob.key))

    def _counted(self, error: StageError) -> StageError:
        self.faults.note()
        self._failures.add(1, {"reason": error.reason.value})
        return error

    async def put(self, key: str, data: bytes) -> common.Blob:
        """Stores a small object whole."""
        return await self._put_sealed(key, data, await self._vault.key(folders.job_of(key)))

    async def _put_sealed(self, key: str, data: bytes, data_key: DataKey | None) -> common.Blob:
        with self._span("maie.blob.write", len(data)), self._errors(key):
            await self._put(key, sealed_whole(data_key, data) if data_key else data)
        digest = hashlib.sha256(data).hexdigest()
        return common.Blob(key=key, size_bytes=len(data), sha256=digest)

    def _span(self, name: str, size: int) -> AbstractContextManager[object]:
        if not trace.get_current_span().is_recording():
            return nullcontext()
        return slow_span(self._tracer, name, {BYTES: size})

    async def _put(self, key: str, data: bytes) -> None:
        # For a small file, the hop to obstore's threads costs more than all the rest.
        if self._directory is not None:
            await asyncio.to_thread(obstore.put, self._store, key, data)
        else:
            await obstore.put_async(self._store, key, data)

    async def put_message(self, prefix: str, message: Message) -> common.Blob:
        """Stores a message as `PREFIX-SHA256`, so that writes never conflict.

        A folder for each prefix would double the cost in a file system.
        """
        data = message.SerializeToString(deterministic=True)
        data_key = await self._vault.key(folders.job_of(prefix))
        key = blob_key(prefix, hashlib.sha256(data).hexdigest(), data_key)
        return await self._put_sealed(key, data, data_key)

    async def get(self, blob: common.Blob) -> bytes:
        """Reads a small object whole and checks it."""
        return await self._read_again(blob, lambda: self._get(blob))

    async def _read_again(self, blob: common.Blob, read: Callable[[], Awaitable[ReadT]]) -> ReadT:
        """Reads an object of a bucket once more where it seems to be damaged.

        What lies between may have cut or changed it, which nothing else would notice.
        """
        try:
            return await read()
        except StageError as error:
            if error.reason != Reason.BLOB_CORRUPT or self._directory is not None:
                raise
        log.warning("blob.read_again", key=blob.key)
        return await read()

    async def _get(self, blob: common.Blob) -> bytes:
        _check_key(blob.key)
        with self._span("maie.blob.read", blob.size_bytes), self._errors(blob.key):
            if self._directory is not None:
                data = await asyncio.to_thread(_read, self._store, blob.key)
            else:
                data = bytes(await (await obstore.get_async(self._store, blob.key)).bytes_async())
        if is_sealed_blob(data):
            data_key = await self._vault.opening_key(folders.job_of(blob.key))
            with _seal_errors(blob):
                data = open_whole(data_key, data, blob.size_bytes)
        self._check(blob, hashlib.sha256(data).hexdigest())
        return data

    async def get_message(self, blob: common.Blob, kind: type[MessageT]) -> MessageT:
        """Reads a stored message and checks it."""
        try:
            return kind.FromString(await self.get(blob))
        except DecodeError as error:
            raise StageError(
                Code.INVALID_ARGUMENT,
                Reason.BLOB_OF_ANOTHER_KIND,
                f"The stored object {blob.key} is not a {kind.DESCRIPTOR.full_name}; "
                "services of different versions may be running side by side.",
            ) from error

    async def download(self, blob: common.Blob, path: Path) -> None:
        """Copies a large object to a file and verifies it."""
        await self._read_again(blob, lambda: self._download(blob, path))

    async def _download(self, blob: common.Blob, path: Path) -> None:
        _check_key(blob.key)
        with (
            self._span("maie.blob.read", blob.size_bytes),
            self._errors(blob.key),
            path.open("wb") as target,
        ):
            async for piece in self.read_checked(blob):
                target.write(piece)

    async def read(
        self, blob: common.Blob, start: int = 0, size: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yields the bytes of a large object, or a part of them, and checks only their number.

        Args:
            blob: The object.
            start: The first byte, from 0.
            size: How many bytes at most; all that follow where None.
        """
        _check_key(blob.key)
        end = blob.size_bytes if size is None else min(start + size, blob.size_bytes)
        if start >= end:
            return
        data_key = await self._vault.key(folders.job_of(blob.key))
        if data_key is None:
            async for piece in self._stream(blob.key, start, end):
                yield piece
            return
        with _seal_errors(blob):
            async for piece in self._opened(blob, data_key, start, end):
                yield piece

    async def read_checked(self, blob: common.Blob) -> AsyncGenerator[bytes, None]:
        """Yields the bytes of a large object; fails after the last where they differ.

        What was yielded before must not count then.
        """
        digest = hashlib.sha256()
        async for piece in self.read(blob):
            digest.update(piece)
            yield piece
        self._check(blob, digest.hexdigest())

    async def _stream(self, key: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """Yields the bytes of a stored object, as they are stored."""
        left = end - start
        with self._errors(key):
            stored = await obstore.get_async(self._store, key, options={"range": (start, end)})
            async for piece in stored.stream(min_chunk_size=READ_PART_BYTES):
                left -= len(piece)
                yield bytes(piece)
        if left:
            log.error("blob.cut", key=key, missing_bytes=left)
            raise self._counted(_corrupt(key))

    async def _opened(
        self, blob: common.Blob, data_key: DataKey, start: int, end: int
    ) -> AsyncGenerator[bytes, None]:
        """Yields the bytes of a sealed object from `start` to before `end`."""
        header = b"".join([piece async for piece in self._stream(blob.key, 0, HEADER_BYTES)])
        first = start // SEGMENT_BYTES
        opener = BlobOpener(data_key, salt_of(header), blob.size_bytes, first)
        place = first * SEGMENT_BYTES
        async for piece in self._stream(blob.key, *stored_range(start, end, blob.size_bytes)):
            content = opener.update(piece)
            if wanted := content[max(0, start - place) : end - place]:
                yield wanted
            place += len(content)
        rest = opener.finish(whole=end == blob.size_bytes)
        if wanted := rest[max(0, start - place) : end - place]:
            yield wanted

    @asynccontextmanager
    async def writer(self, prefix: str) -> AsyncIterator[BlobWriter]:
        """Writes an object piece by piece as `PREFIX-SHA256`, as `put_message` does.

        A large one has a temporary name until its digest is known. A bucket renames it by copying,
        which S3 supports for objects of up to 5 GiB. After an error there is no object.
        """
        data_key = await self._vault.key(folders.job_of(prefix))
        with self._errors(prefix):
            async with AsyncExitStack() as parts:
                writer = BlobWriter(prefix, self._store, parts, data_key)
                yield writer
                await writer.finish()
            key = writer.blob().key
            if (data := writer.small()) is not None:
                await self._put(key, data)
            else:
                await self._rename(writer.partial, key)

    async def _rename(self, source: str, target: str) -> None:
        if self._directory is not None:
            await asyncio.to_thread(obstore.rename, self._store, source, target)
        else:
            await obstore.rename_async(self._store, source, target)

    async def delete(self, key: str) -> None:
        """Deletes an object. A missing one is no error."""
        await self._delete_each([key])

    async def stored(self, prefix: str) -> AsyncIterator[StoredObject]:
        """Yields the objects below a prefix, such as `jobs/ID` for all of a job's."""
        with self._errors(prefix):
            async for chunk in obstore.list(self._store, prefix, chunk_size=LIST_CHUNK):
                for found in chunk:
                    yield StoredObject(key=found["path"], modified=found["last_modified"])

    async def children(self, prefix: str) -> list[str]:
        """The names directly below a prefix that have objects below them."""
        with self._errors(prefix):
            found = await obstore.list_with_delimiter_async(self._store, prefix)
        return [path.rstrip("/").rpartition("/")[2] for path in found["common_prefixes"]]

    async def delete_prefix(self, prefix: str) -> int:
        """Deletes all objects below a prefix and returns their number.

        Objects that are written meanwhile may stay.
        """
        keys = [found.key async for found in self.stored(prefix)]
        for start in range(0, len(keys), LIST_CHUNK):
            await self._delete_all(keys[start : start + LIST_CHUNK])
        return len(keys)

    async def remove_partials(self, before: datetime) -> None:
        """Deletes the incomplete objects of killed writers in a directory.

        A bucket needs a lifecycle rule for incomplete uploads.

        Args:
            before: With a time zone; objects written to since then are kept.
        """
        if self._directory is not None:
            with self._errors("partial objects"):
                await asyncio.to_thread(_remove_partials, self._directory, before.timestamp())

    async def _delete_all(self, keys: list[str]) -> None:
        if self._directory is not None:
            await self._delete_each(keys)
            return
        try:
            with self._errors(keys[0]):
                await obstore.delete_async(self._store, keys)
        except StageError as error:
            if error.reason != Reason.BLOB_MISSING:
                raise
            # Another process deletes them as well, and the rest may be left.
            await self._delete_each(keys)

    async def _delete_each(self, keys: list[str]) -> None:
        with self._errors(keys[0]):
            if self._directory is not None:
                # obstore would start ten threads for ten files, and keep them.
                await asyncio.to_thread(_delete_files, self._store, keys)
                return
            for key in keys:
                with suppress(NotFoundError, FileNotFoundError):
                    await obstore.delete_async(self._store, key)

    async def check(self) -> None:
        """Writes and deletes a small object, to check the store."""
        key = f"health/{os.getpid()}"
        await self.put(key, b"ok")
        await self.delete(key)
