"""Stored results, read once and kept for a while."""

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
# As they are stored, of all that is kept; in memory they take about five times as much. Some 400
# transcripts of five minutes.
KEPT_BYTES = 16 * 1024 * 1024


class StoredResults:
    """Reads stored messages and checks them; keeps those that were read last.

    Several watchers of a job read the same results at about the same time, and each ASR task of a
    job needs a part of its plan. Stored objects never change, so what is kept is never out of date.
    What a removed job had is forgotten with it: so this follows the job records, as a `Follower`.

    Args:
        blobs: Where the results are.
        kept_bytes: The size, as stored, of all that is kept.
    """

    def __init__(self, blobs: Blobs, kept_bytes: int = KEPT_BYTES) -> None:
        self._blobs = blobs
        self._kept_bytes = kept_bytes
        self._kept: OrderedDict[tuple[str, str], tuple[int, Message]] = OrderedDict()
        self._size = 0
        self._reading: dict[tuple[str, str], asyncio.Task[Any]] = {}
        self._slots = asyncio.Semaphore(READ_CONCURRENCY)

    async def get(self, blob: common.Blob, kind: type[MessageT]) -> MessageT:
        """Gives a stored message, which nobody may change.

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
        # A reader that is cancelled must not cancel the read that others wait for.
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
            reading.exception()  # seen, even where nobody waits any more

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
        """The watch begins: every job's record comes now, as it is."""

    def changed(self, seen: record.JobRecord, revision: int) -> None:
        """A job's record is this now."""

    def gone(self, job_id: str, revision: int) -> None:
        """Forgets what a removed job had."""
        folder = f"{folders.of_job(job_id)}/"
        for key in [key for key in self._kept if key[0].startswith(folder)]:
            self._drop(key)

    def replay_ended(self) -> None:
        """All records have come."""
