"""Job records in JetStream KV, written by compare-and-set only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.message import DecodeError

from maie.job.v1 import record_pb2 as record
from maie_gateway.names import Names, names_of, without_names
from maie_gateway.secrets import WebhookSecrets, take_out
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker, broker_unavailable
from maie_runtime.bus.errors import (
    APIError,
    KeyNotFoundError,
    KeyWrongLastSequenceError,
    NoKeysError,
)
from maie_runtime.errors import Code, StageError
from maie_runtime.reasons import Reason

# A removed record leaves its id for so long, so that gateways that were away hear of it.
REMOVAL_TOLD_SECONDS = 3600
# From a job's first missing result to its missing record, on a busy machine.
REMOVAL_SECONDS = 3.0
REMOVAL_POLL_SECONDS = 0.05
# Why a job cannot be worked on and never will be.
GONE = frozenset({Reason.JOB_NOT_FOUND, Reason.RECORD_CORRUPT})
# The server's own number for a compare-and-set that came too late.
WRONG_LAST_SEQUENCE = 10071


class RevisionConflictError(Exception):
    """Another gateway wrote the record first."""


@dataclass(kw_only=True, frozen=True, slots=True)
class StoredRecord:
    """A record and the revision that a write must name.

    Attributes:
        record: The record.
        revision: The bucket's revision of it.
    """

    record: record.JobRecord
    revision: int


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

    async def create(self, new: record.JobRecord) -> int:
        """Stores a new job's record and returns its revision.

        Its names are stored apart, and so are the secrets of its webhooks, which it then lacks.
        """
        secrets = take_out(new)
        with _broker_errors(new.job_id):
            new.names_sequence = await self._names.store(new.job_id, names_of(new))
            if secrets is not None:
                await self._secrets.store(new.secrets_key, secrets)
            data = without_names(new).SerializeToString()
            try:
                return await self._broker.jobs.create(new.job_id, data)
            except KeyWrongLastSequenceError:
                await self._names.erase_one(new.names_sequence)
                if secrets is not None:
                    await self._secrets.erase(new.secrets_key)
                raise

    async def get(self, job_id: str) -> StoredRecord:
        """Reads a record."""
        with _broker_errors(job_id):
            entry = await self._broker.jobs.get(job_id)
        return StoredRecord(
            record=await self.parse(job_id, entry.value or b""), revision=entry.revision or 0
        )

    async def parse(self, job_id: str, data: bytes) -> record.JobRecord:
        """Reads what the bucket holds under a job's id, and its names from where they are.

        Raises:
            StageError: As `parse_record`; UNAVAILABLE with BROKER_UNAVAILABLE.
        """
        parsed = parse_record(job_id, data)
        with _broker_errors(job_id):
            await self._names.complete(parsed)
        return parsed

    async def prefetch(self) -> None:
        """Reads the names of all jobs at once, for those who parse all records next."""
        with _broker_errors(""):
            await self._names.prefetch()

    def forget_prefetched(self) -> None:
        """Forgets what `prefetch` read."""
        self._names.forget_prefetched()

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
            # The names last: who dies in between is found by them.
            await self._secrets.erase(f"{job_id}.*")
            await self._names.erase(job_id)

    async def exists(self, job_id: str) -> bool:
        """Whether there is a record."""
        try:
            await self.get(job_id)
        except StageError as error:
            if error.reason not in GONE:
                raise
            # What a record that cannot be read stands for may be brought back by hand.
            return error.reason == Reason.RECORD_CORRUPT
        return True

    @asynccontextmanager
    async def reading(self, job_id: str) -> AsyncIterator[None]:
        """Holds the reading of what is stored of a job, which may be removed meanwhile.

        Its results go before its record, so for a moment they seem to be lost.

        Raises:
            StageError: NOT_FOUND with JOB_NOT_FOUND where it was removed;
                DATA_LOSS with BLOB_MISSING where it stays and a result is lost.
        """
        try:
            yield
        except StageError as error:
            if error.reason == Reason.BLOB_MISSING:
                for _ in range(round(REMOVAL_SECONDS / REMOVAL_POLL_SECONDS)):
                    await self.get(job_id)
                    await asyncio.sleep(REMOVAL_POLL_SECONDS)
            raise

    async def replace(self, old: StoredRecord, new: record.JobRecord) -> int:
        """Stores a changed record and returns its revision.

        Raises:
            RevisionConflictError: The record is not what `old` says any more.
        """
        secrets = take_out(new)
        with _broker_errors(new.job_id):
            names = names_of(new)
            before = old.record.names_sequence
            renamed = not before or names != names_of(old.record)
            new.names_sequence = await self._names.store(new.job_id, names) if renamed else before
            if secrets is not None:
                await self._secrets.store(new.secrets_key, secrets)
            data = without_names(new).SerializeToString()
            try:
                revision = await self._broker.jobs.update(new.job_id, data, last=old.revision)
            except KeyWrongLastSequenceError:
                if renamed:
                    await self._names.erase_one(new.names_sequence)
                if secrets is not None:
                    await self._secrets.erase(new.secrets_key)
                raise
            if renamed:
                # What is left now is erased with the job.
                with suppress(*BROKER_ERRORS):
                    await self._names.erase(new.job_id, before=new.names_sequence)
            return revision

    async def delete(self, old: StoredRecord, *, told_seconds: int = REMOVAL_TOLD_SECONDS) -> int:
        """Removes a record and returns the revision of its removal.

        Args:
            old: The record as it was read.
            told_seconds: How long the bucket tells who asks, at least 1.

        Raises:
            RevisionConflictError: The record is not what `old` says any more.
        """
        job_id = old.record.job_id
        with _broker_errors(job_id):
            try:
                # KeyValue.delete would leave its marker for ever.
                removed = await self._broker.jetstream.publish(
                    subjects.bucket_subject(subjects.JOBS, job_id),
                    headers={
                        "KV-Operation": "DEL",
                        "Nats-Expected-Last-Subject-Sequence": str(old.revision),
                    },
                    msg_ttl=told_seconds,
                )
                return removed.seq
            except APIError as error:
                if error.err_code == WRONG_LAST_SEQUENCE:
                    raise RevisionConflictError from error
                raise

    async def ids(self) -> list[str]:
        """All jobs' ids, newest first."""
        with _broker_errors(""):
            try:
                return sorted(await self._broker.jobs.keys(), reverse=True)
            except NoKeysError:
                return []


def parse_record(job_id: str, data: bytes) -> record.JobRecord:
    """Reads what the bucket holds under a job's id.

    Raises:
        StageError: DATA_LOSS with RECORD_CORRUPT: it is no record of that job.
    """
    try:
        parsed = record.JobRecord.FromString(data)
    except DecodeError as error:
        raise record_corrupt(job_id) from error
    # Many bytes parse as a message, and none at all as an empty one.
    if parsed.job_id != job_id or not parsed.state:
        raise record_corrupt(job_id)
    return parsed


def record_corrupt(job_id: str) -> StageError:
    """What callers get for a job whose record cannot be read."""
    return StageError(
        Code.DATA_LOSS,
        Reason.RECORD_CORRUPT,
        f"The record of job {job_id} cannot be read, so nothing can be done with the job; "
        "submit the recording again.",
    )


def job_not_found(job_id: str) -> StageError:
    """What callers hear of a job that does not exist, for them."""
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
        raise broker_unavailable() from error
