"""What clients call their jobs is kept apart from the records, and comes back with them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from maie.asr.v1 import asr_pb2 as asr
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.records.names import names_of, without_names
from maie_gateway.records.store import JobStore, RevisionConflictError
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.bus.watch import Entry
from tests.conftest import NatsServer
from tests.gateway.conductor.world import new_job

pytestmark = pytest.mark.mesh

OLD_NAME, NEW_NAME = "Xylophonia Quandary", "Flibbertigibbet"


def whole() -> record.JobRecord:
    """A record with all that a client can say in its own words."""
    made = record.JobRecord()
    made.CopyFrom(new_job().record)
    made.display_name = OLD_NAME
    made.labels["team"] = "red"
    asked = job.JobConfig(
        filename="a.wav",
        request_id="monday",
        display_name=OLD_NAME,
        labels={"team": "blue"},
        webhooks=[job.Webhook(url="https://example.com", secret="s" * 20)],
        asr_options=asr.TranscribeOptions(
            hotwords=["one", "two"], initial_prompt="", language_code="en"
        ),
    )
    made.config.MergeFrom(asked)
    return made


@pytest.fixture
async def broker(nats_server: NatsServer) -> AsyncIterator[Broker]:
    async with open_provisioned_broker(nats_server.url, "test") as opened:
        yield opened


def on_disk(nats_server: NatsServer, word: str) -> bool:
    """Whether any file of the broker holds a word."""
    files = [path for path in nats_server.store.rglob("*") if path.is_file()]
    return any(word.encode() in path.read_bytes() for path in files)


async def test_a_record_comes_back_as_it_was_stored(broker: Broker) -> None:
    made = whole()
    await JobStore(broker).create(made)
    # By another gateway, which has nothing in memory.
    other = JobStore(broker)
    assert (await other.get(made.job_id)).record == made
    await other.prefetch()
    entry = await broker.jobs.get(made.job_id)
    told = Entry(key=made.job_id, value=entry.value, revision=entry.revision or 0)
    assert (await other.follow(None, told)).record == made
    assert OLD_NAME.encode() not in (entry.value or b"")


def test_nothing_of_a_clients_own_words_stays_in_the_record() -> None:
    made = whole()
    bare = without_names(made)
    assert bare.config.asr_options.language_code == "en"
    left = bare.SerializeToString()
    for word in (OLD_NAME, "a.wav", "monday", "blue", "red", "example.com", "sss", "two"):
        assert word.encode() not in left
    names = names_of(made)
    bare.config.MergeFrom(names.config)
    bare.display_name = names.display_name
    bare.labels.update(names.labels)
    assert bare == made


async def test_a_change_of_state_stores_no_name_again(broker: Broker) -> None:
    store, made = JobStore(broker), whole()
    stored = await store.create(made)
    changed = record.JobRecord()
    changed.CopyFrom(made)
    changed.state = job.JOB_STATE_PROCESSING_ASR
    await store.replace(stored, changed)
    info = await broker.jetstream.stream_info(subjects.NAMES)
    assert (info.state.messages, info.state.last_seq) == (1, changed.names_sequence)


async def test_an_old_name_is_overwritten_on_the_disk(
    broker: Broker, nats_server: NatsServer
) -> None:
    store, made = JobStore(broker), whole()
    stored = await store.create(made)
    assert on_disk(nats_server, OLD_NAME)
    renamed = record.JobRecord()
    renamed.CopyFrom(made)
    renamed.display_name = renamed.config.display_name = NEW_NAME
    await store.replace(stored, renamed)
    assert not on_disk(nats_server, OLD_NAME)
    assert on_disk(nats_server, NEW_NAME)
    assert (await JobStore(broker).get(made.job_id)).record.display_name == NEW_NAME
    with pytest.raises(RevisionConflictError):
        await store.replace(stored, made)  # it comes too late, and leaves nothing
    assert not on_disk(nats_server, OLD_NAME)
    await store.erase_names(made.job_id)
    assert not on_disk(nats_server, NEW_NAME)


async def test_a_record_whose_names_are_erased_can_still_be_read_and_changed(
    broker: Broker,
) -> None:
    store, made = JobStore(broker), whole()
    await store.create(made)
    await store.erase_names(made.job_id)
    stored = await JobStore(broker).get(made.job_id)
    assert (stored.record.display_name, stored.record.state) == ("", made.state)
    changed = record.JobRecord()
    changed.CopyFrom(stored.record)
    changed.state = job.JOB_STATE_CANCELLED
    await store.replace(stored, changed)
    assert (await store.get(made.job_id)).record.state == job.JOB_STATE_CANCELLED


async def test_a_record_of_an_earlier_release_is_read_as_it_is(broker: Broker) -> None:
    made = whole()
    await broker.jobs.put(made.job_id, made.SerializeToString())
    store = JobStore(broker)
    stored = await store.get(made.job_id)
    assert stored.record == made
    changed = record.JobRecord()
    changed.CopyFrom(made)
    changed.state = job.JOB_STATE_PROCESSING_ASR
    await store.replace(stored, changed)
    entry = await broker.jobs.get(made.job_id)
    assert OLD_NAME.encode() not in (entry.value or b"")
    assert (await JobStore(broker).get(made.job_id)).record == changed


async def test_names_that_became_no_record_leave_nothing(
    broker: Broker, nats_server: NatsServer, tmp_path: Path
) -> None:
    store, made = JobStore(broker), whole()
    await store.create(made)
    second = whole()
    second.display_name = NEW_NAME
    with pytest.raises(RevisionConflictError):
        await store.create(second)
    assert not on_disk(nats_server, NEW_NAME)
