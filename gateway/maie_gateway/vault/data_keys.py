"""The gateways' vault: a wrapped key for each job in a bucket, overwritten when the job goes."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import aclosing

from maie_gateway.vault.ring import Ring
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import (
    BROKER_ERRORS,
    Broker,
    broker_unavailable,
)
from maie_runtime.bus.erasing import erase_all
from maie_runtime.bus.errors import KeyNotFoundError, KeyWrongLastSequenceError
from maie_runtime.bus.stored_subjects import stored_subjects
from maie_runtime.bus.whole_stream import whole_stream
from maie_runtime.vault.data_key import DataKey
from maie_runtime.vault.vault import Vault, data_key_gone

STREAM = subjects.bucket_stream(subjects.DATA_KEYS)
# Each event of a job needs its key.
REMEMBERED_JOBS = 4096


class JobKeys(Vault):
    """What gateways do with the keys of jobs; here, where everything is stored as it is."""

    async def make(self, job_id: str) -> None:
        """Makes the key of a new job, before anything of it is stored. It may have one already."""

    async def destroy(self, job_id: str) -> None:
        """Overwrites the key of a removed job on the disk: nothing of the job can be read again."""


class DataKeys(JobKeys):
    """The keys of jobs, in a mesh whose jobs are encrypted.

    Args:
        broker: The broker.
        ring: Wraps the keys.
        encrypts: Whether new jobs get a key.

    Raises:
        StageError: UNAVAILABLE with BROKER_UNAVAILABLE; FAILED_PRECONDITION with
            MASTER_KEY_INVALID.
    """

    def __init__(self, broker: Broker, ring: Ring, *, encrypts: bool = True) -> None:
        self._broker = broker
        self._ring = ring
        self._encrypts = encrypts
        # None for a job that was made while encryption was off.
        self._known: OrderedDict[str, DataKey | None] = OrderedDict()
        # Removed jobs, with the revision of their removal. Their keys, which may be in the bucket
        # for another moment, are not kept here.
        self._gone: OrderedDict[str, int] = OrderedDict()
        self._prefetched: dict[str, bytes] = {}

    async def make(self, job_id: str) -> None:
        """Makes and stores a random key, where new jobs are encrypted."""
        self._gone.pop(job_id, None)
        if not self._encrypts:
            await self.key(job_id)
            return
        key = DataKey.new(job_id)
        try:
            wrapped = self._ring.wrap(key)
            await self._broker.data_keys.create(_entry(job_id), wrapped)
        except KeyWrongLastSequenceError:
            await self.opening_key(job_id)
        except BROKER_ERRORS as error:
            raise broker_unavailable(error) from error
        else:
            self._remember(job_id, key)

    async def key(self, job_id: str) -> DataKey | None:
        """The key of a job; None where it was made while encryption was off.

        Raises:
            StageError: NOT_FOUND with DATA_KEY_GONE: the job was removed a while ago, and nothing
                more may be stored of it, and least of all in plain text; or as the class says.
        """
        if not job_id:
            return None
        if job_id in self._known:
            self._known.move_to_end(job_id)
            return self._known[job_id]
        found = await self._read(job_id)
        self._remember(job_id, found)
        return found

    def known(self, job_id: str) -> DataKey | None:
        """The key of a job where it is in memory already."""
        return self._known.get(job_id)

    async def opening_key(self, job_id: str) -> DataKey:
        """The key of a job whose data is sealed.

        Raises:
            StageError: NOT_FOUND with DATA_KEY_GONE: the job was removed; or as the class says.
        """
        found = self._known.get(job_id) or await self._read(job_id)
        if found is None:
            raise data_key_gone(job_id)
        self._remember(job_id, found)
        return found

    def forget(self, job_id: str, revision: int) -> None:
        """Drops the key of a job that this or another gateway removed.

        Args:
            job_id: The job.
            revision: The revision of its removal.
        """
        self._known.pop(job_id, None)
        self._gone[job_id] = revision
        self._gone.move_to_end(job_id)
        if len(self._gone) > REMEMBERED_JOBS:
            self._gone.popitem(last=False)

    def forget_all(self) -> None:
        """Drops all keys; those that are in the bucket are read again."""
        self._known.clear()

    def exists(self, job_id: str, revision: int) -> None:
        """Notes that there is a job of this id, perhaps after one that was removed.

        Args:
            job_id: The job.
            revision: The revision of its record.
        """
        if self._gone.get(job_id, revision) < revision:
            del self._gone[job_id]

    async def destroy(self, job_id: str) -> None:
        """Overwrites the key on the disk."""
        self._known.pop(job_id, None)
        try:
            await erase_all(self._broker, STREAM, _subject(job_id))
        except BROKER_ERRORS as error:
            raise broker_unavailable(error) from error

    async def prefetch(self) -> None:
        """Reads all keys at once; `forget_prefetched` drops them."""
        self._prefetched = {}
        subject = subjects.bucket_subject(subjects.DATA_KEYS, ">")
        try:
            reading = whole_stream(self._broker.jetstream, STREAM, subject)
            async with aclosing(reading) as messages:
                async for found in messages:
                    self._prefetched[found.subject] = found.data
        except BROKER_ERRORS as error:
            raise broker_unavailable(error) from error

    def forget_prefetched(self) -> None:
        """Forgets what `prefetch` read."""
        self._prefetched = {}

    async def _read(self, job_id: str) -> DataKey | None:
        wrapped = self._prefetched.get(_subject(job_id))
        if wrapped is None:
            try:
                entry = await self._broker.data_keys.get(_entry(job_id))
                wrapped = entry.value or b""
            except KeyNotFoundError:
                wrapped = None
            except BROKER_ERRORS as error:
                raise broker_unavailable(error) from error
        if wrapped is not None:
            return self._ring.unwrap(job_id, wrapped)
        if job_id in self._gone:
            raise data_key_gone(job_id)
        return None

    def _remember(self, job_id: str, key: DataKey | None) -> None:
        if job_id in self._gone:
            return
        self._known[job_id] = key
        self._known.move_to_end(job_id)
        if len(self._known) > REMEMBERED_JOBS:
            self._known.popitem(last=False)


async def count_keys(broker: Broker) -> int:
    """How many jobs have a key.

    Raises:
        StageError: UNAVAILABLE with BROKER_UNAVAILABLE.
    """
    try:
        found = await stored_subjects(broker.client, STREAM)
    except BROKER_ERRORS as error:
        raise broker_unavailable(error) from error
    return sum(subject.startswith(_subject("")) for subject in found)


def _entry(job_id: str) -> str:
    return f"job.{job_id}"


def _subject(job_id: str) -> str:
    return subjects.bucket_subject(subjects.DATA_KEYS, _entry(job_id))
