"""A record comes out of its entries as it went in, however it was written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_gateway.conductor import FINAL_STATES, advance
from maie_gateway.records.journal import (
    MAX_CHANGES,
    Growth,
    StoredRecord,
    fold,
    next_change,
    next_record,
    parse_entry,
)
from maie_runtime.bus.direct_get import Stored
from maie_runtime.bus.streams import JOB_ENTRIES
from tests.gateway.conductor.test_machine import Mesh
from tests.gateway.conductor.world import (
    ALL_FEATURES,
    JOB_ID,
    NOW,
    POLICY,
    all_well,
    new_job,
)
from tests.properties import examples

pytestmark = pytest.mark.unit

GARBAGE = (b"\xff\xff no protobuf", b"", record.JobRecord(job_id=JOB_ID).SerializeToString())


class Bucket:
    """What a bucket holds of a job, and the record as its last writer knows it."""

    def __init__(self, first: record.JobRecord) -> None:
        self.entries: list[Stored] = []
        self.bytes_written = 0
        self.stored = StoredRecord(record=first, revision=0)
        self.write(first)

    def write(self, new: record.JobRecord, *, whole: bool = False, makes_room: bool = True) -> None:
        """Writes a record.

        Args:
            new: The record.
            whole: Whether it is written whole whatever it costs.
            makes_room: Whether a whole one takes the place of all others, or the broker died first.
        """
        change = next_change(replace(self.stored, growth=None) if whole else self.stored, new)
        data = change.data if change else new.SerializeToString()
        growth = change.growth if change else Growth(whole_bytes=len(data))
        if change is None and makes_room:
            self.entries.clear()
        # Other jobs' entries lie in between.
        revision = self.stored.revision + 3
        self.stored = StoredRecord(record=new, revision=revision, growth=growth)
        self.entries.append(Stored(sequence=revision, data=data, operation=""))
        del self.entries[:-JOB_ENTRIES]
        self.bytes_written += len(data)

    def last(self, seen: StoredRecord | None) -> StoredRecord | None:
        """What a watcher that has seen a record makes of the last entry."""
        entry = self.entries[-1]
        return next_record(seen, parse_entry(JOB_ID, entry.data), entry.sequence)


class Journal(Mesh):
    """All that a mesh does to a job, with a bucket beneath its record."""

    def __init__(self) -> None:
        super().__init__()
        self.bucket: Bucket | None = None
        self.whole, self.makes_room = False, True

    @rule(whole=st.booleans(), makes_room=st.booleans())
    def meddle(self, whole: bool, makes_room: bool) -> None:
        self.whole, self.makes_room = whole, makes_room

    def _tell(self, told: event.StageEvent, crash: bool) -> None:
        bucket = self.bucket = self.bucket or Bucket(self.record)
        super()._tell(told, crash)
        if self.record is not bucket.stored.record:
            before = bucket.stored
            bucket.write(self.record, whole=self.whole, makes_room=self.makes_room)
            assert bucket.last(before) == bucket.stored
            late = bucket.last(replace(before, revision=before.revision - 1))
            assert late in (None, bucket.stored)
            assert fold(JOB_ID, bucket.entries) == bucket.stored

    @invariant()
    def a_job_that_is_over_is_one_whole_record(self) -> None:
        if self.bucket and self.record.state in FINAL_STATES:
            parsed = parse_entry(JOB_ID, self.bucket.entries[-1].data)
            assert parsed == self.record


TestJournal = Journal.TestCase
TestJournal.settings = settings(max_examples=examples(100), stateful_step_count=40)

units = st.builds(
    record.Unit,
    unit=st.sampled_from("abc"),
    state=st.sampled_from([job.UNIT_STATE_WAITING, job.UNIT_STATE_QUEUED]),
    attempt=st.integers(0, 2),
)
entries = st.builds(
    record.JobLogEntry,
    accepted=st.none() | st.just(job.JobAccepted(job_id=JOB_ID)),
    state_changed=st.none() | st.just(job.JobStateChanged(state=job.JOB_STATE_PENDING)),
)
records = st.builds(
    record.JobRecord,
    job_id=st.just(JOB_ID),
    state=st.sampled_from(job.JobState.values()).filter(lambda state: state > 0),
    held=st.booleans(),
    units=st.lists(units, max_size=4),
    log=st.lists(entries, max_size=4),
    tenant=st.sampled_from(["one", "two"]),
    labels=st.dictionaries(st.sampled_from("ab"), st.sampled_from("cd"), max_size=2),
    names_sequence=st.integers(0, 2),
    facts=st.none() | st.builds(event.UnitFacts, chunk_count=st.integers(0, 2)),
)


@given(st.lists(records, min_size=1, max_size=8), st.data())
def test_any_record_can_follow_any_other(
    wanted: list[record.JobRecord], data: st.DataObject
) -> None:
    """Also those that no conductor makes, such as one that loses units."""
    bucket = Bucket(wanted[0])
    # Large enough that only what a change cannot say is written whole.
    for new in wanted[1:]:
        growth = bucket.stored.growth
        bucket.stored = replace(
            bucket.stored, growth=growth and replace(growth, whole_bytes=1_000_000)
        )
        bucket.write(new, whole=data.draw(st.booleans()), makes_room=data.draw(st.booleans()))
        found = fold(JOB_ID, bucket.entries)
        assert found is not None
        assert (found.record, found.revision) == (new, bucket.stored.revision)


def a_long_job(chunks: int, done: Callable[[Bucket], None] = lambda _: None) -> Bucket:
    """A job of so many chunks from its submit to its end, one event at a time."""
    step = new_job(ALL_FEATURES)
    bucket, queue, answer = Bucket(step.record), list(step.tasks), all_well(chunks)
    while queue:
        step = advance(step.record, answer(queue.pop(0)), POLICY, NOW)
        queue.extend(step.tasks)
        bucket.write(step.record)
        done(bucket)
    return bucket


def test_what_is_written_for_a_chunk_hardly_depends_on_their_number() -> None:
    written = {chunks: a_long_job(chunks).bytes_written / chunks for chunks in (1, 16, 64, 256)}
    # The whole record is written after 120 changes, too, which 1,283 units make ten times.
    assert max(written.values()) <= 2.5 * min(written.values()), written


def test_no_more_is_read_than_twice_the_record_and_what_the_bucket_keeps() -> None:
    most = 0

    def look(bucket: Bucket) -> None:
        nonlocal most
        most = max(most, len(bucket.entries))
        assert sum(len(each.data) for each in bucket.entries) <= 2 * len(bucket.entries[0].data)
        assert parse_entry(JOB_ID, bucket.entries[0].data).units

    a_long_job(96, look)
    assert most == MAX_CHANGES + 1 < JOB_ENTRIES


def changed_bucket() -> Bucket:
    """A whole record and four changes."""
    buckets: list[list[Stored]] = []
    bucket = a_long_job(8, lambda each: buckets.append(list(each.entries)))
    bucket.entries = next(each for each in buckets if len(each) == 5)
    return bucket


@pytest.mark.parametrize("missing", range(4))
def test_a_record_whose_entries_are_not_all_there_is_corrupt(missing: int) -> None:
    entries = changed_bucket().entries
    del entries[missing]
    with pytest.raises(StageError) as caught:
        fold(JOB_ID, entries)
    assert caught.value.reason == Reason.RECORD_CORRUPT


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("place", range(5))
def test_a_record_with_an_entry_that_is_none_is_corrupt_until_it_is_written_whole(
    place: int, garbage: bytes
) -> None:
    bucket = changed_bucket()
    found = fold(JOB_ID, bucket.entries)
    assert found is not None
    bucket.entries[place] = replace(bucket.entries[place], data=garbage)
    with pytest.raises(StageError) as caught:
        fold(JOB_ID, bucket.entries)
    assert caught.value.reason == Reason.RECORD_CORRUPT
    whole = found.record.SerializeToString()
    mended = [*bucket.entries, Stored(sequence=999, data=whole, operation="")]
    assert fold(JOB_ID, mended) == StoredRecord(
        record=found.record, revision=999, growth=Growth(whole_bytes=len(whole))
    )


def test_a_change_of_a_unit_that_there_is_not_is_corrupt() -> None:
    before = StoredRecord(record=new_job().record, revision=1, growth=Growth(whole_bytes=1))
    for place in (-1, len(before.record.units) + 1):
        change = record.JobRecordChange(follows=1, state=job.JOB_STATE_PENDING)
        change.units.add(place=place, unit=before.record.units[0])
        with pytest.raises(StageError) as caught:
            next_record(before, record.JobRecord(job_id=JOB_ID, change=change), 2)
        assert caught.value.reason == Reason.RECORD_CORRUPT


def test_a_removed_job_has_no_record() -> None:
    entries = changed_bucket().entries
    assert fold(JOB_ID, [*entries, Stored(sequence=999, data=b"", operation="DEL")]) is None
    again = Stored(sequence=1000, data=entries[0].data, operation="")
    found = fold(JOB_ID, [*entries, Stored(sequence=999, data=b"", operation="DEL"), again])
    assert found is not None
    assert found.revision == 1000
