"""Writes an object of the object store piece by piece."""

from __future__ import annotations

import hashlib
from contextlib import AsyncExitStack
from uuid import uuid4

import obstore
from obstore.store import ObjectStore

from maie.common.v1 import types_pb2 as common
from maie_runtime.vault.data_key import DataKey
from maie_runtime.vault.sealed_blob import BlobSealer

# S3 needs parts of at least 5 MiB; a writer has about one in memory.
WRITE_PART_BYTES = 5 * 1024 * 1024


def blob_key(prefix: str, digest: str, data_key: DataKey | None) -> str:
    """The key of an object. That of a sealed one does not show the digest of its content."""
    return f"{prefix}-{data_key.digest(digest) if data_key else digest}"


class BlobWriter:
    """Writes an object piece by piece, with at most one part of it in memory.

    An object no larger than a part is stored at the end.

    Attributes:
        partial: The temporary key of an incomplete object that is larger than a part.
        size: The bytes written so far.
    """

    def __init__(
        self, prefix: str, store: ObjectStore, parts: AsyncExitStack, data_key: DataKey | None
    ) -> None:
        self.partial = f"{prefix}-partial-{uuid4()}"
        self._prefix = prefix
        self._store = store
        self._parts = parts
        self._data_key = data_key
        self._sealer = BlobSealer(data_key) if data_key else None
        self._target: obstore.AsyncWritableFile | None = None
        self._digest = hashlib.sha256()
        self._first = bytearray()
        self.size = 0

    async def write(self, data: bytes) -> None:
        """Appends bytes."""
        self._digest.update(data)
        self.size += len(data)
        await self._store_next(self._sealer.update(data) if self._sealer else data)

    async def finish(self) -> None:
        """Says that all bytes are written."""
        if self._sealer is not None:
            await self._store_next(self._sealer.finish())

    async def _store_next(self, data: bytes) -> None:
        if self._target is not None:
            await self._target.write(data)
            return
        self._first += data
        if len(self._first) > WRITE_PART_BYTES:
            self._target = target = await self._parts.enter_async_context(
                obstore.open_writer_async(
                    self._store, self.partial, buffer_size=WRITE_PART_BYTES, max_concurrency=1
                )
            )
            await target.write(bytes(self._first))
            self._first.clear()

    def small(self) -> bytes | None:
        """The whole object, if it is not larger than a part."""
        return None if self._target is not None else bytes(self._first)

    def blob(self) -> common.Blob:
        """A reference to the object written so far."""
        digest = self._digest.hexdigest()
        key = blob_key(self._prefix, digest, self._data_key)
        return common.Blob(key=key, size_bytes=self.size, sha256=digest)
