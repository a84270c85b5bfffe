"""Job records in JetStream KV, written by compare-and-set only; `journal.py` has the format."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import datetime

from google.protobuf.message import DecodeError

from maie.job.v1 import record_pb2 as record
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.conductor.tenants import tenant_of_record
from maie_gateway.records.journal import (
    Growth,
    StoredRecord,
    fold,
    next_change,
    next_record,
    parse_entry,
    tenant_of_entry,
)
from maie_gateway.records.markers import OPERATION, REMOVAL_MARKER_SECONDS
from maie_gateway.records.names import Names, names_of, without_names
from maie_gateway.records.secrets import WebhookSecrets, take_out
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker, broker_unavailable
from maie_runtime.bus.direct_get import Stored, stored_messages
from maie_runtime.bus.errors import (
    APIError,
    KeyNotFoundError,
    KeyWrongLastSequenceError,
    NotFoundError,
)
from maie_runtime.bus.jetstream import WRONG_LAST_SEQUENCE
from maie_runtime.bus.stored_subjects import stored_subjects
from maie_runtime.bus.streams import JOB_ENTRIES
from maie_runtime.bus.watch import Entry

# From a job's first missing result to its missing record, on a busy machine.
REMOVAL_SECONDS = 3.0
REMOVAL_POLL_SECONDS = 0.05
# The reasons why a job can never run.
GONE = frozenset({Reason.JOB_NOT_FOUND, Reason.RECORD_CORRUPT, Reason.DATA_KEY_GONE})
# How far a replica that answers direct reads may lag.
REPLICA_SECONDS = 2.0
REPLICA_POLL_SECONDS = 0.1
STREAM = subjects.bucket_stream(subjects.JOBS)
LIFETIME = "Nats-TTL"
EXPECTED_LAST = "Nats-Expected-Last-Subject-Sequence"
# An entry with these headers replaces all others of its key.
IN_PLACE_OF_ALL: Mapping[str, str] = {"Nats-Rollup": "sub"}
# KeyValue.delete would leave its marker forever.
REMOVED: Mapping[str, str] = {**IN_PLACE_OF_ALL, OPERATION: "DEL"}


class RevisionConflictError(Exception):
    """Another gateway wrote the record first."""


class JobStore:
    """The bucket of job records.

    Raises:
        StageError: NOT_FOUND with JOB_NOT_FOUND, DATA_LOSS with RECORD_CORRUPT,
            or UNAVAILABLE with BROKER_UNAVAILABLE.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._names = Names(broker)
        self._secrets = WebhookSecrets(broker)

    async def create(self, new: record.JobRecord) -> StoredRecord:
        """Stores a new job's record.

        The names and the secrets of webhooks are stored apart; the secrets are removed from `new`.
        The names of an encrypted job stay in its record, which nobody can read once its key is
        destroyed: that saves a durable write.
        """
        secrets = take_out(new)
        with _broker_errors(new.job_id):
            if not await self._is_encrypted(new.job_id):
                new.names_sequence = await self._names.store(new.job_id, names_of(new))
            if secrets is not None:
                await self._secrets.store(new.secrets_key, secrets)
            data = _whole(new)
            try:
                sealed = await self._broker.sealed(new.job_id, data)
                revision = await self._broker.jobs.create(new.job_id, sealed)
            except KeyWrongLastSequenceError:
                if (ours := await self._stored_before(new)) is not None:
                    return ours
                if new.names_sequence:
                    await self._names.erase_one(new.names_sequence)
                if secrets is not None:
                    await self._secrets.erase(new.secrets_key)
                raise
        growth = Growth(whole_bytes=len(data))
        return StoredRecord(record=new, revision=revision, growth=growth)

    async def _stored_before(self, new: record.JobRecord) -> StoredRecord | None:
        """The record that this write stored, where its answer was lost; None for another's."""
        try:
            found = await self.get(new.job_id)
        except StageError as error:
            if error.reason not in GONE:
                raise
            return None
        # No two uploads have the same key, and no two tries the same place of their names.
        key, of = new.recording.key, found.record
        ours = of.recording.key == key and of.names_sequence == new.names_sequence
        return found if key and ours else None

    async def get(self, job_id: str) -> StoredRecord:
        """Reads a record."""
        return await self.follow(None, await self._last(job_id))

    async def get_own(self, job_id: str, tenant: str) -> StoredRecord:
        """Reads the record of a tenant's own job.

        For another tenant's job, the broker is asked the same as for one that does not exist, so
        that the time of the answer says nothing.
        """
        last = await self._last(job_id)
        owner = tenant_of_entry(parse_entry(job_id, last.value or b""))
        if owner and owner != tenant:
            raise job_not_found(job_id)
        found = await self.follow(None, last)
        if tenant_of_record(found.record) != tenant:
            raise job_not_found(job_id)
        return found

    async def _last(self, job_id: str) -> Entry:
        with _broker_errors(job_id):
            entry = await self._broker.jobs.get(job_id)
        data = await self._opened(job_id, entry.value or b"")
        return Entry(key=job_id, value=data, revision=entry.revision or 0)

    async def follow(self, before: StoredRecord | None, entry: Entry) -> StoredRecord:
        """The record after an entry of the bucket, or after later ones.

        Args:
            before: The last seen record; None where there is none.
            entry: The entry; not a removal.

        Raises:
            StageError: DATA_LOSS with RECORD_CORRUPT: the record cannot be read;
                NOT_FOUND with JOB_NOT_FOUND: the job was removed since;
                UNAVAILABLE with BROKER_UNAVAILABLE.
        """
        job_id = entry.key
        parsed = parse_entry(job_id, await self._opened(job_id, entry.value or b""))
        seen = next_record(before, parsed, entry.revision)
        if seen is not None and parsed.HasField("change"):
            return seen  # the names are those of `before`
        with _broker_errors(job_id):
            seen = seen or await self._read_all(job_id, entry.revision)
            await self._names.complete(seen.record)
        return seen

    async def _read_all(self, job_id: str, revision: int) -> StoredRecord:
        """Reads all entries of a job, up to a revision at least."""
        try:
            found = fold(job_id, await self._entries(job_id, revision))
        except StageError as error:
            if error.reason != Reason.RECORD_CORRUPT:
                raise
            # Events of a job with a corrupt record are dropped, so read it twice.
            await asyncio.sleep(REPLICA_POLL_SECONDS)
            found = fold(job_id, await self._entries(job_id, revision))
        if found is None:
            raise job_not_found(job_id)
        return found

    async def _entries(self, job_id: str, revision: int) -> list[Stored]:
        """A job's entries, up to a revision at least."""
        subject = _subject(job_id)
        for _ in range(round(REPLICA_SECONDS / REPLICA_POLL_SECONDS)):
            found = await stored_messages(self._broker.client, STREAM, subject, JOB_ENTRIES)
            if found and found[-1].sequence >= revision:
                return [
                    replace(entry, data=await self._opened(job_id, entry.data)) for entry in found
                ]
            # Either the replica that answered lags, or the job was removed meanwhile.
            try:
                await self._broker.jetstream.get_last_msg(STREAM, subject)
            except NotFoundError:
                raise job_not_found(job_id) from None
            await asyncio.sleep(REPLICA_POLL_SECONDS)
        raise broker_unavailable()

    async def _opened(self, job_id: str, data: bytes) -> bytes:
        """The content of an entry; empty, as unreadable as it is, where it does not open.

        Raises:
            StageError: NOT_FOUND with JOB_NOT_FOUND: the job was removed meanwhile.
        """
        try:
            return await self._broker.opened(job_id, data)
        except DecodeError:
            return b""
        except StageError as error:
            if error.reason == Reason.DATA_KEY_GONE:
                raise job_not_found(job_id) from error
            raise

    async def prefetch(self) -> None:
        """Reads the names of all jobs at once, before a replay of all records."""
        with _broker_errors(""):
            await self._broker.vault.prefetch()
            await self._names.prefetch()

    def forget_prefetched(self) -> None:
        """Forgets what `prefetch` read."""
        self._names.forget_prefetched()
        self._broker.vault.forget_prefetched()

    async def named_before(self, job_id: str, when: datetime) -> bool:
        """Whether a job's names are older than a time; False where it has none."""
        with _broker_errors(job_id):
            stored = await self._names.stored_at(job_id)
        return stored is not None and stored < when

    async def webhook_secrets(self, stored: record.JobRecord) -> list[str]:
        """A secret for each webhook of a record; empty ones where they are lost."""
        with _broker_errors(stored.job_id):
            return await self._secrets.of(stored)

    async def erase_names(self, job_id: str) -> None:
        """Overwrites on the disk what the client calls a job, and its webhooks' secrets."""
        with _broker_errors(job_id):
            # The names go last: after a crash in between, the sweep finds the job by them.
            await self._secrets.erase(f"{job_id}.*")
            await self._names.erase(job_id)

    async def exists(self, job_id: str) -> bool:
        """Whether there is a record."""
        try:
            await self.get(job_id)
        except StageError as error:
            if error.reason not in GONE:
                raise
            # An unreadable record may be repaired by hand.
            return error.reason == Reason.RECORD_CORRUPT
        return True

    @asynccontextmanager
    async def reading(self, job_id: str) -> AsyncIterator[None]:
        """Wraps reads of a job's results; the job may be removed meanwhile.

        A removal deletes the results before the record, so results can be missing briefly.

        Raises:
            StageError: NOT_FOUND with JOB_NOT_FOUND: the job was removed;
                DATA_LOSS with BLOB_MISSING: the job exists and a result is lost.
        """
        try:
            yield
        except StageError as error:
            if error.reason == Reason.BLOB_MISSING:
                for _ in range(round(REMOVAL_SECONDS / REMOVAL_POLL_SECONDS)):
                    await self.get(job_id)
                    await asyncio.sleep(REMOVAL_POLL_SECONDS)
            raise

    async def replace(self, old: StoredRecord, new: record.JobRecord) -> StoredRecord:
        """Stores a changed record.

        Raises:
            RevisionConflictError: The stored record differs from `old`.
        """
        secrets = take_out(new)
        with _broker_errors(new.job_id):
            names = names_of(new)
            before = old.record.names_sequence
            # Whole records of earlier releases have names in plain text, which leave them here.
            apart = before or not await self._is_encrypted(new.job_id)
            renamed = apart and (not before or names != names_of(old.record))
            new.names_sequence = await self._names.store(new.job_id, names) if renamed else before
            if secrets is not None:
                await self._secrets.store(new.secrets_key, secrets)
            try:
                stored = await self._write(old, new)
            except RevisionConflictError:
                if renamed:
                    await self._names.erase_one(new.names_sequence)
                if secrets is not None:
                    await self._secrets.erase(new.secrets_key)
                raise
            if renamed:
                # If this fails, the old names are erased with the job.
                with suppress(*BROKER_ERRORS):
                    await self._names.erase(new.job_id, before=new.names_sequence)
            return stored

    async def _write(self, old: StoredRecord, new: record.JobRecord) -> StoredRecord:
        """Stores a change, or a whole record that replaces all entries of the job."""
        change = next_change(old, new)
        data = change.data if change else _whole(new)
        growth = change.growth if change else Growth(whole_bytes=len(data))
        headers = {} if change else IN_PLACE_OF_ALL
        sealed = await self._broker.sealed(new.job_id, data)
        revision = await self._publish(new.job_id, sealed, headers, old.revision)
        return StoredRecord(record=new, revision=revision, growth=growth)

    async def _is_encrypted(self, job_id: str) -> bool:
        return await self._broker.vault.key(job_id) is not None

    async def _publish(
        self,
        job_id: str,
        data: bytes,
        headers: Mapping[str, str],
        last: int,
        marker_seconds: int | None = None,
    ) -> int:
        """Stores an entry of a job, if its last entry has the revision `last`."""
        try:
            stored = await self._broker.jetstream.publish(
                _subject(job_id),
                data,
                headers={**headers, EXPECTED_LAST: str(last)},
                msg_ttl=marker_seconds,
            )
        except APIError as error:
            if error.err_code in WRONG_LAST_SEQUENCE:
                raise RevisionConflictError from error
            raise
        return stored.seq

    async def delete(
        self, old: StoredRecord, *, marker_seconds: int = REMOVAL_MARKER_SECONDS
    ) -> int:
        """Removes a record and returns the revision of its removal.

        Args:
            old: The record as it was read.
            marker_seconds: How long the marker of the removal stays, at least 1.

        Raises:
            RevisionConflictError: The stored record differs from `old`.
        """
        job_id = old.record.job_id
        with _broker_errors(job_id):
            # A broker that dies during a write may still have the removed entries, and they must
            # not come back when the marker expires. So a permanent marker is written first.
            removed = await self._publish(job_id, b"", REMOVED, old.revision)
            with suppress(RevisionConflictError):  # a new job of that id exists already
                removed = await self._publish(job_id, b"", REMOVED, removed, marker_seconds)
            return removed

    async def forget_removed(self, job_id: str) -> None:
        """Expires the permanent marker of a removal whose gateway died in the middle."""
        with _broker_errors(job_id), suppress(NotFoundError, RevisionConflictError):
            last = await self._broker.jetstream.get_last_msg(STREAM, _subject(job_id))
            headers = last.headers or {}
            if OPERATION in headers and LIFETIME not in headers:
                await self._publish(job_id, b"", REMOVED, last.seq or 0, 1)

    async def ids(self) -> list[str]:
        """The ids of all jobs, and of those that were removed a short while ago, newest first."""
        prefix = len(_subject(""))
        with _broker_errors(""):
            found = await stored_subjects(self._broker.client, STREAM)
        return sorted((subject[prefix:] for subject in found), reverse=True)


def _whole(of: record.JobRecord) -> bytes:
    """A whole record as an entry, before it is sealed."""
    return (without_names(of) if of.names_sequence else of).SerializeToString()


def _subject(job_id: str) -> str:
    return subjects.bucket_subject(subjects.JOBS, job_id)


def job_not_found(job_id: str) -> StageError:
    """The error for a job that does not exist for the caller."""
    return StageError(
        Code.NOT_FOUND,
        Reason.JOB_NOT_FOUND,
        f"There is no job {job_id}; `maie jobs list` shows those there are.",
    )


@contextmanager
def _broker_errors(job_id: str) -> Iterator[None]:
    try:
        yield
    except KeyNotFoundError as error:
        raise job_not_found(job_id) from error
    except KeyWrongLastSequenceError as error:
        raise RevisionConflictError from error
    except BROKER_ERRORS as error:
        raise broker_unavailable(error) from error
