"""Job records in a real bucket, as changes: who writes, who reads, and what is left of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_gateway.conductor import advance
from maie_gateway.records.changes import JobChanges
from maie_gateway.records.journal import StoredRecord
from maie_gateway.records.names import Names, names_of, without_names
from maie_gateway.records.store import STREAM, JobStore, RevisionConflictError
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker, open_broker
from maie_runtime.bus.errors import KeyWrongLastSequenceError
from maie_runtime.bus.provision import provision
from maie_runtime.bus.streams import STREAMS
from maie_runtime.bus.watch import Entry
from tests.conftest import NatsServer
from tests.gateway.conductor.world import (
    ALL_FEATURES,
    JOB_ID,
    NOW,
    POLICY,
    all_well,
    new_job,
)
from tests.gateway.test_unreadable import letters
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

SUBJECT = subjects.bucket_subject(subjects.JOBS, JOB_ID)
CHUNKS = 6


@dataclass
class Writer:
    """A gateway that takes a job through its events, one at a time."""

    store: JobStore
    stored: StoredRecord
    tasks: list[event.StageTask]

    @classmethod
    async def begin(cls, broker: Broker) -> Writer:
        """Stores a new job."""
        store, step = JobStore(broker), new_job(ALL_FEATURES, filename="a.wav", labels={"a": "b"})
        return cls(store, await store.create(step.record), list(step.tasks))

    async def work(self, units: int) -> None:
        """Ends so many units."""
        for _ in range(units):
            told = all_well(CHUNKS)(self.tasks.pop(0))
            step = advance(self.stored.record, told, POLICY, NOW)
            self.stored = await self.store.replace(self.stored, step.record)
            self.tasks += step.tasks


@dataclass
class Seen:
    """What a follower was notified of."""

    records: list[tuple[record.JobRecord, int]] = field(default_factory=list)
    gone_jobs: list[str] = field(default_factory=list)

    def replay_begun(self) -> None:
        """Nothing."""

    def replay_ended(self) -> None:
        """Nothing."""

    def changed(self, seen: record.JobRecord, revision: int) -> None:
        """A record is this now."""
        self.records.append((seen, revision))

    def gone(self, job_id: str, revision: int) -> None:
        """A record is gone."""
        self.gone_jobs.append(job_id)


async def entries(broker: Broker, subject: str = SUBJECT) -> int:
    """How many entries the bucket has of a job."""
    info = await broker.jetstream.stream_info(STREAM, subjects_filter=subject)
    return (info.state.subjects or {}).get(subject, 0)


async def read_anew(broker: Broker) -> StoredRecord:
    """The record as a gateway reads it that has nothing in memory."""
    return await JobStore(broker).get(JOB_ID)


async def test_a_job_is_read_after_each_change_as_it_was_written(broker: Broker) -> None:
    writer = await Writer.begin(broker)
    most = 0
    while writer.tasks:
        await writer.work(1)
        most = max(most, await entries(broker))
        assert await read_anew(broker) == writer.stored
    assert writer.stored.record.state == job.JOB_STATE_COMPLETE
    assert most > 5
    assert await entries(broker) == 1


async def test_of_two_gateways_that_write_one_is_refused_and_goes_on(broker: Broker) -> None:
    writer = await Writer.begin(broker)
    await writer.work(2)
    other = JobStore(broker)
    seen = await other.get(JOB_ID)
    await writer.work(1)
    late = record.JobRecord()
    late.CopyFrom(seen.record)
    late.units[-1].attempt = 7
    with pytest.raises(RevisionConflictError):
        await other.replace(seen, late)
    late.state = job.JOB_STATE_CANCELLED  # which is written whole
    with pytest.raises(RevisionConflictError):
        await other.replace(seen, late)
    assert await read_anew(broker) == writer.stored
    seen = await other.get(JOB_ID)
    late.CopyFrom(seen.record)
    late.units[-1].attempt = 7
    written = await other.replace(seen, late)
    assert await read_anew(broker) == written


@pytest.mark.slow
async def test_a_broker_that_is_killed_loses_no_change(
    nats_server: NatsServer, broker: Broker
) -> None:
    """What was acknowledged is there, and what was not is there or not, but nothing else."""
    writer = await Writer.begin(broker)
    killed_at = {4, 9}
    number = 0
    while writer.tasks:
        step = advance(writer.stored.record, all_well(CHUNKS)(writer.tasks.pop(0)), POLICY, NOW)
        writing = asyncio.create_task(writer.store.replace(writer.stored, step.record))
        number += 1
        if number in killed_at or not (writer.tasks or step.tasks):
            await asyncio.sleep(0)  # it is on its way
            await nats_server.stop(kill=True)
            await nats_server.start()
        writer.stored = await settled(broker, writer, step.record, writing)
        writer.tasks += step.tasks
    assert writer.stored.record.state == job.JOB_STATE_COMPLETE
    assert await read_anew(broker) == writer.stored


async def settled(
    broker: Broker, writer: Writer, new: record.JobRecord, writing: asyncio.Task[StoredRecord]
) -> StoredRecord:
    """A write, or another one in the place of one that was not acknowledged."""
    try:
        return await writing
    except StageError as error:
        if not error.retryable:
            raise
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not broker.connected:
            await asyncio.sleep(0.02)
    found = await read_anew(broker)
    if found.record == new:
        return found
    assert found == writer.stored
    return await writer.store.replace(found, new)


async def test_a_gateway_that_starts_in_the_middle_of_a_job_follows_it(broker: Broker) -> None:
    writer, seen = await Writer.begin(broker), Seen()
    await writer.work(3)
    assert await entries(broker) > 1
    changes = JobChanges(broker, [seen])
    async with changes.follow():
        assert changes.active == {JOB_ID}
        assert changes.recent(JOB_ID) == writer.stored
        while writer.tasks:
            await writer.work(1)
            await until(lambda: changes.recent(JOB_ID) == writer.stored)
        assert not changes.active
        assert seen.records[-1] == (writer.stored.record, writer.stored.revision)
        revisions = [revision for _, revision in seen.records]
        assert revisions == sorted(set(revisions))
        await writer.store.delete(writer.stored, marker_seconds=1)
        await until(lambda: JOB_ID in seen.gone_jobs)


async def test_a_gateway_that_forgot_a_job_reads_it_again(broker: Broker) -> None:
    """As where more jobs change than it keeps records of."""
    writer = await Writer.begin(broker)
    changes = JobChanges(broker)
    async with changes.follow():
        changes._recent.clear()
        await writer.work(2)
        await until(lambda: changes.recent(JOB_ID) == writer.stored)


async def test_who_hears_of_a_change_late_reads_what_became_of_the_job(broker: Broker) -> None:
    writer = await Writer.begin(broker)
    await writer.work(3)
    entry = await broker.jobs.get(JOB_ID)
    late = Entry(key=JOB_ID, value=entry.value, revision=entry.revision or 0)
    while writer.tasks:
        await writer.work(1)
        assert await JobStore(broker).follow(None, late) == writer.stored
    await writer.store.delete(writer.stored, marker_seconds=1)

    async def is_gone() -> bool:
        with pytest.raises(StageError) as caught:
            await JobStore(broker).follow(None, late)
        return caught.value.reason == Reason.JOB_NOT_FOUND

    assert await is_gone()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await entries(broker):
            await asyncio.sleep(0.1)
    assert await is_gone()


@pytest.mark.parametrize("units", [0, 1, 4])
async def test_a_removed_job_leaves_nothing_and_does_not_come_back(
    broker: Broker, units: int
) -> None:
    writer = await Writer.begin(broker)
    await writer.work(units)
    await writer.store.delete(writer.stored, marker_seconds=1)
    assert await entries(broker) <= 1
    with pytest.raises(StageError) as caught:
        await read_anew(broker)
    assert caught.value.reason == Reason.JOB_NOT_FOUND
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await entries(broker):
            await asyncio.sleep(0.1)
    assert not (await broker.jetstream.stream_info(STREAM)).state.messages
    assert await writer.store.ids() == []


async def test_a_removal_that_comes_too_late_removes_nothing(broker: Broker) -> None:
    writer = await Writer.begin(broker)
    seen = await read_anew(broker)
    await writer.work(1)
    with pytest.raises(RevisionConflictError):
        await writer.store.delete(seen)
    assert await read_anew(broker) == writer.stored


async def test_a_record_that_the_broker_did_not_remove_before_it_died_stays_hidden(
    broker: Broker,
) -> None:
    """Its marker lapses, and what it hides must not come back."""
    writer = await Writer.begin(broker)
    await writer.work(3)
    hidden = await entries(broker)
    marker = {"KV-Operation": "DEL"}  # without the header that makes room
    await broker.jetstream.publish(SUBJECT, headers=marker)
    await broker.jetstream.publish(SUBJECT, headers=marker, msg_ttl=1)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await entries(broker) > hidden + 1:
            await asyncio.sleep(0.1)
    with pytest.raises(StageError) as caught:
        await read_anew(broker)
    assert caught.value.reason == Reason.JOB_NOT_FOUND
    changes = JobChanges(broker)
    async with changes.follow():
        assert not changes.active


async def test_a_whole_record_of_an_earlier_release_is_read_and_changed(broker: Broker) -> None:
    """It was the only entry of its key, with its names apart."""
    step = new_job(ALL_FEATURES, filename="a.wav")
    old = step.record
    old.names_sequence = await Names(broker).store(JOB_ID, names_of(old))
    await broker.jobs.create(JOB_ID, without_names(old).SerializeToString())
    stored = await read_anew(broker)
    assert stored.record == old
    writer = Writer(JobStore(broker), stored, list(step.tasks))
    while writer.tasks:
        await writer.work(1)
        assert await read_anew(broker) == writer.stored
    assert writer.stored.record.display_name == "a.wav"


async def test_a_bucket_of_an_earlier_release_takes_changes(nats_server: NatsServer) -> None:
    async with open_broker(nats_server.url, "test") as broker:
        (jobs,) = [stream for stream in STREAMS if stream.name == STREAM]
        before = jobs.evolve(max_msgs_per_subject=1, allow_rollup_hdrs=False, allow_direct=False)
        await broker.jetstream.add_stream(before)
        step = new_job(ALL_FEATURES)
        await broker.jobs.create(JOB_ID, step.record.SerializeToString())
        await provision(broker)
        writer = Writer(JobStore(broker), await read_anew(broker), list(step.tasks))
        await writer.work(4)
        assert await entries(broker) > 1
        assert await read_anew(broker) == writer.stored


async def is_corrupt(broker: Broker) -> bool:
    """Whether a gateway says so, goes on, and keeps a dead letter."""
    with pytest.raises(StageError) as caught:
        await read_anew(broker)
    changes = JobChanges(broker)
    async with changes.follow():
        assert not changes.active
        (letter,) = await letters(broker, "record", 1)
    assert letter.task.job_id == JOB_ID
    return caught.value.reason == Reason.RECORD_CORRUPT


@pytest.mark.parametrize("garbage", [b"\xff\xff no protobuf", b""])
async def test_garbage_after_changes_is_corrupt(broker: Broker, garbage: bytes) -> None:
    writer = await Writer.begin(broker)
    await writer.work(3)
    await broker.jobs.put(JOB_ID, garbage)
    assert await is_corrupt(broker)


async def test_a_change_whose_record_is_lost_is_corrupt(broker: Broker) -> None:
    writer = await Writer.begin(broker)
    await writer.work(3)
    await broker.jetstream.purge_stream(STREAM, subject=SUBJECT, keep=1)
    assert await is_corrupt(broker)


async def test_a_record_whose_answer_was_lost_is_this_write_s(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, unanswered = broker.jobs.create, [True]

    async def create_and_lose_the_answer(key: str, value: bytes) -> int:
        """A second try is refused for good where another write came after the first."""
        revision = await create(key, value)
        if unanswered and unanswered.pop():
            raise KeyWrongLastSequenceError
        return revision

    monkeypatch.setattr(broker.jobs, "create", create_and_lose_the_answer)
    store, new = JobStore(broker), new_job(ALL_FEATURES, filename="a.wav").record
    stored = await store.create(new)
    assert stored == await store.get(JOB_ID)
    assert stored.record.config.filename == "a.wav"
    other = new_job(ALL_FEATURES, filename="a.wav").record
    other.recording.key = "another-upload"
    with pytest.raises(RevisionConflictError):
        await store.create(other)
