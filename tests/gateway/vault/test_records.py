"""An encrypted job's record holds what the client calls the job, so that nothing else need."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.records.names import Names, names_of, without_names
from maie_gateway.records.store import JobStore
from maie_gateway.vault.opening import open_job_keys
from maie_gateway.vault.settings import VaultSettings
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.vault.key_file import new_line
from tests.conftest import NatsServer
from tests.gateway.test_client_names import NEW_NAME, OLD_NAME, on_disk, whole
from tests.gateway.vault.conftest import written

pytestmark = pytest.mark.mesh


@pytest.fixture
def master_key(tmp_path: Path) -> str:
    return written(tmp_path / "master.key", new_line())


@pytest.fixture
async def broker(nats_server: NatsServer, master_key: str) -> AsyncIterator[Broker]:
    """The broker of a gateway that has the key."""
    async with (
        open_provisioned_broker(nats_server.url, "test") as opened,
        open_job_keys(opened, VaultSettings(master_key=master_key)) as keys,
    ):
        await keys.make(whole().job_id)
        yield opened


async def stored_in(broker: Broker, stream: str) -> int:
    """How many messages a stream ever stored."""
    return (await broker.jetstream.stream_info(stream)).state.last_seq


async def test_it_comes_back_and_is_changed_without_a_message_of_its_own(
    broker: Broker, nats_server: NatsServer
) -> None:
    store, made = JobStore(broker), whole()
    stored = await store.create(made)
    renamed = record.JobRecord()
    renamed.CopyFrom(made)
    renamed.display_name = renamed.config.display_name = NEW_NAME
    again = await store.replace(stored, renamed)
    running = record.JobRecord()
    running.CopyFrom(renamed)
    running.state = job.JOB_STATE_PROCESSING_ASR
    await store.replace(again, running)
    assert (await JobStore(broker).get(made.job_id)).record == running
    assert await stored_in(broker, subjects.NAMES) == 0
    assert not on_disk(nats_server, OLD_NAME)
    assert not on_disk(nats_server, NEW_NAME)


async def test_names_that_an_earlier_release_stored_apart_stay_apart(
    broker: Broker, nats_server: NatsServer
) -> None:
    made = whole()
    made.names_sequence = await Names(broker).store(made.job_id, names_of(made))
    data = without_names(made).SerializeToString()
    await broker.jobs.create(made.job_id, await broker.sealed(made.job_id, data))
    store = JobStore(broker)
    stored = await store.get(made.job_id)
    assert stored.record == made
    renamed = record.JobRecord()
    renamed.CopyFrom(stored.record)
    renamed.display_name = renamed.config.display_name = NEW_NAME
    await store.replace(stored, renamed)
    found = (await JobStore(broker).get(made.job_id)).record
    assert (found.display_name, found.names_sequence) == (NEW_NAME, 2)
