"""The stored form of a job's record: a whole record, followed by changes.

A record of hundreds of chunks is large, and each of its units changes it a few times. So only the
changes are written, and the whole record once the changes add up to its size. A reader folds the
last whole record and all changes after it. Each change names the entry before it, so that a
missing one is detected.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from google.protobuf.message import DecodeError

from maie.job.v1 import record_pb2 as record
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.conductor.tenants import tenant_of_record
from maie_pipeline.states import FINAL_STATES
from maie_runtime.bus.direct_get import Stored
from maie_runtime.bus.streams import JOB_ENTRIES

# The bucket drops the oldest entries, and the whole record must not be among them. The margin is
# for entries that a broker left behind when it died while it dropped some.
MAX_CHANGES = JOB_ENTRIES - 8


@dataclass(kw_only=True, frozen=True, slots=True)
class Growth:
    """The size of a job's entries since its record was written whole.

    Attributes:
        whole_bytes: The size of the whole record.
        changes: The number of changes since.
        changed_bytes: Their size.
    """

    whole_bytes: int
    changes: int = 0
    changed_bytes: int = 0

    def with_change(self, size: int) -> Growth:
        """After one more change."""
        return Growth(
            whole_bytes=self.whole_bytes,
            changes=self.changes + 1,
            changed_bytes=self.changed_bytes + size,
        )

    @property
    def has_room(self) -> bool:
        """Whether changes cost less, to store and to read, than the record written whole."""
        return self.changes <= MAX_CHANGES and self.changed_bytes <= self.whole_bytes


@dataclass(kw_only=True, frozen=True, slots=True)
class StoredRecord:
    """A record and the revision that a write must name.

    Attributes:
        record: The record.
        revision: The bucket's revision of it.
        growth: The size of its entries. None where unknown: then the next write is whole.
    """

    record: record.JobRecord
    revision: int
    growth: Growth | None = None


@dataclass(kw_only=True, frozen=True, slots=True)
class Change:
    """A change as it is written.

    Attributes:
        data: The entry.
        growth: The size of the job's entries with this one.
    """

    data: bytes
    growth: Growth


def next_change(old: StoredRecord, new: record.JobRecord) -> Change | None:
    """The change to write; None where the record is to be written whole.

    Args:
        old: The stored record.
        new: The next record, with stored fields only.
    """
    if old.growth is None or new.state in FINAL_STATES:
        return None
    change = record.JobRecordChange(follows=old.revision, state=new.state, held=new.held)
    known = old.record.units
    for place, unit in enumerate(new.units):
        if place >= len(known) or unit != known[place]:
            change.units.add(place=place, unit=unit)
    change.log.extend(new.log[len(old.record.log) :])
    entry = record.JobRecord(job_id=new.job_id, tenant=tenant_of_record(new), change=change)
    data = entry.SerializeToString()
    growth = old.growth.with_change(len(data))
    if not growth.has_room or _changed(old.record, change) != new:
        return None
    return Change(data=data, growth=growth)


def parse_entry(job_id: str, data: bytes) -> record.JobRecord:
    """Parses an entry of the bucket: a whole record, or a change.

    Raises:
        StageError: DATA_LOSS with RECORD_CORRUPT: it is not an entry of that job.
    """
    try:
        parsed = record.JobRecord.FromString(data)
    except DecodeError as error:
        raise record_corrupt(job_id) from error
    # Many byte strings parse as a message; no bytes parse as an empty one.
    state = parsed.change.state if parsed.HasField("change") else parsed.state
    if parsed.job_id != job_id or not state:
        raise record_corrupt(job_id)
    return parsed


def tenant_of_entry(entry: record.JobRecord) -> str:
    """Whose job a parsed entry is of; empty for a change of an earlier release, which lacks it."""
    return entry.tenant if entry.HasField("change") else tenant_of_record(entry)


def next_record(
    before: StoredRecord | None, entry: record.JobRecord, revision: int
) -> StoredRecord | None:
    """The record after one more entry.

    Args:
        before: The record before; it is not changed.
        entry: The parsed entry.
        revision: The entry's revision.

    Returns:
        The record; None where the entry is a change that does not follow `before`.
    """
    size = entry.ByteSize()
    if not entry.HasField("change"):
        return StoredRecord(record=entry, revision=revision, growth=Growth(whole_bytes=size))
    if before is None or before.growth is None or entry.change.follows != before.revision:
        return None
    return StoredRecord(
        record=_changed(before.record, entry.change),
        revision=revision,
        growth=before.growth.with_change(size),
    )


def fold(job_id: str, entries: Iterable[Stored]) -> StoredRecord | None:
    """The record from a job's entries, oldest first; None where it was removed.

    Raises:
        StageError: DATA_LOSS with RECORD_CORRUPT: a change after the last whole record is missing
            or cannot be read.
    """
    found, removed = None, False
    for entry in entries:
        removed = bool(entry.operation)
        found = None if removed else _with_entry(job_id, found, entry)
    if found is None and not removed:
        raise record_corrupt(job_id)
    return found


def _with_entry(job_id: str, found: StoredRecord | None, entry: Stored) -> StoredRecord | None:
    """The record after one more entry, changed in place; None where the entry does not fit."""
    try:
        parsed = parse_entry(job_id, entry.data)
        if found is None or found.growth is None or not parsed.HasField("change"):
            return next_record(None, parsed, entry.sequence)
        if parsed.change.follows != found.revision:
            return None
        _apply(found.record, parsed.change)
    except StageError:
        return None
    growth = found.growth.with_change(len(entry.data))
    return replace(found, revision=entry.sequence, growth=growth)


def _changed(source: record.JobRecord, change: record.JobRecordChange) -> record.JobRecord:
    """A changed copy of a record.

    Raises:
        StageError: DATA_LOSS with RECORD_CORRUPT: the record lacks the changed units.
    """
    changed = record.JobRecord()
    changed.CopyFrom(source)
    _apply(changed, change)
    return changed


def _apply(target: record.JobRecord, change: record.JobRecordChange) -> None:
    target.state = change.state
    target.held = change.held
    for changed in change.units:
        if not 0 <= changed.place <= len(target.units):
            raise record_corrupt(target.job_id)
        if changed.place == len(target.units):
            target.units.add()
        target.units[changed.place].CopyFrom(changed.unit)
    target.log.extend(change.log)


def record_corrupt(job_id: str) -> StageError:
    """The error for a job whose record cannot be read."""
    return StageError(
        Code.DATA_LOSS,
        Reason.RECORD_CORRUPT,
        f"The record of job {job_id} cannot be read, so nothing can be done with the job; "
        "submit the recording again.",
    )
