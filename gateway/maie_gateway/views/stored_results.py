"""A cache of stored results."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any, TypeVar

from google.protobuf.message import Message

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import record_pb2 as record
from maie_runtime import folders
from maie_runtime.blobs import Blobs

MessageT = TypeVar("MessageT", bound=Message)

# How many are read at once.
READ_CONCURRENCY = 16
# The stored size of all cached results, some 400 transcripts of five minutes; in memory they take
# about five times as much.
KEPT_BYTES = 16 * 1024 * 1024


class StoredResults:
    """Reads stored messages and checks them; caches the most recently read.

    Several watchers of a job read the same results at about the same time, and each ASR task of a
    job needs a part of its plan. Stored objects never change, so the cache is never stale. As a
    `Follower` of the job records, it drops the results of removed jobs.

    Args:
        blobs: The object store.
        kept_bytes: The most cached bytes, by their stored size.
    """

    def __init__(self, blobs: Blobs, kept_bytes: int = KEPT_BYTES) -> None:
        self._blobs = blobs
        self._kept_bytes = kept_bytes
        self._kept: OrderedDict[tuple[str, str], tuple[int, Message]] = OrderedDict()
        self._size = 0
        self._reading: dict[tuple[str, str], asyncio.Task[Any]] = {}
        self._slots = asyncio.Semaphore(READ_CONCURRENCY)

    async def get(self, blob: common.Blob, kind: type[MessageT]) -> MessageT:
        """Returns a stored message; callers must not change it.

        Raises:
            StageError: As `Blobs.get_message`.
        """
        key = (blob.key, blob.sha256)
        kept = self._kept.get(key)
        if kept is not None and isinstance(kept[1], kind):
            self._kept.move_to_end(key)
            return kept[1]
        reading = self._reading.get(key)
        if reading is None:
            reading = self._reading[key] = asyncio.create_task(self._read(blob, kind))
            reading.add_done_callback(lambda done: self._done(key, done))
        # A cancelled caller must not cancel the read that others wait for.
        found: MessageT = await asyncio.shield(reading)
        return found

    async def _read(self, blob: common.Blob, kind: type[MessageT]) -> MessageT:
        async with self._slots:
            found = await self._blobs.get_message(blob, kind)
        self._keep((blob.key, blob.sha256), blob.size_bytes, found)
        return found

    def _done(self, key: tuple[str, str], reading: asyncio.Task[Any]) -> None:
        del self._reading[key]
        if not reading.cancelled():
            reading.exception()  # marks it as retrieved, even if no caller waits any more

    def _keep(self, key: tuple[str, str], size: int, found: Message) -> None:
        if size > self._kept_bytes:
            return
        self._drop(key)
        self._kept[key] = (size, found)
        self._size += size
        while self._size > self._kept_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[str, str]) -> None:
        size, _ = self._kept.pop(key, (0, None))
        self._size -= size

    def replay_begun(self) -> None:
        """The watch begins: the current records of all jobs follow."""

    def changed(self, seen: record.JobRecord, revision: int) -> None:
        """A job's record changed."""

    def gone(self, job_id: str, revision: int) -> None:
        """Drops the results of a removed job."""
        folder = f"{folders.of_job(job_id)}/"
        for key in [key for key in self._kept if key[0].startswith(folder)]:
            self._drop(key)

    def replay_ended(self) -> None:
        """All records have arrived."""
