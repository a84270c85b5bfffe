"""Job records in JetStream KV, written by compare-and-set only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from nats.errors import Error as NatsError
from nats.js.errors import (
    APIError,
    KeyNotFoundError,
    KeyWrongLastSequenceError,
    NoKeysError,
)

from maie.job.v1 import record_pb2 as record
from maie_runtime.broker import Broker, broker_unavailable
from maie_runtime.errors import Code, StageError


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
        StageError: NOT_FOUND with JOB_NOT_FOUND, or UNAVAILABLE with
            BROKER_UNAVAILABLE.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def create(self, new: record.JobRecord) -> int:
        """Stores a new job's record and returns its revision."""
        with _broker_errors(new.job_id):
            return await self._broker.jobs.create(new.job_id, new.SerializeToString())

    async def get(self, job_id: str) -> StoredRecord:
        """Reads a record."""
        with _broker_errors(job_id):
            entry = await self._broker.jobs.get(job_id)
        return StoredRecord(
            record=record.JobRecord.FromString(entry.value or b""), revision=entry.revision or 0
        )

    async def replace(self, old: StoredRecord, new: record.JobRecord) -> int:
        """Stores a changed record and returns its revision.

        Raises:
            RevisionConflictError: The record is not what `old` says any more.
        """
        with _broker_errors(new.job_id):
            return await self._broker.jobs.update(
                new.job_id, new.SerializeToString(), last=old.revision
            )

    async def ids(self) -> list[str]:
        """All jobs' ids, newest first."""
        with _broker_errors(""):
            try:
                return sorted(await self._broker.jobs.keys(), reverse=True)
            except NoKeysError:
                return []


@contextmanager
def _broker_errors(job_id: str) -> Iterator[None]:
    try:
        yield
    except KeyNotFoundError as error:
        raise StageError(
            Code.NOT_FOUND,
            "JOB_NOT_FOUND",
            f"There is no job {job_id}; `maie jobs list` shows those there are.",
        ) from error
    except KeyWrongLastSequenceError as error:
        raise RevisionConflictError from error
    except (NatsError, APIError, OSError) as error:
        raise broker_unavailable() from error
