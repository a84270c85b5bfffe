"""A webhook's secret is in a bucket of its own, and in nothing that anybody else reads."""

from __future__ import annotations

import pytest
from nats.js.errors import NotFoundError

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_client import Client, ClientError
from maie_gateway.records.journal import StoredRecord
from maie_gateway.records.names import Names, names_of, without_names
from maie_gateway.records.store import JobStore, RevisionConflictError
from maie_gateway.webhooks import deliveries, publish_deliveries
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.streams import STREAMS
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_requests import recording
from tests.gateway.webhooks.mail import Mail
from tests.gateway.webhooks.receiver import SECRET, Receiver, finished

pytestmark = pytest.mark.mesh

SECRETS = subjects.bucket_stream(subjects.SECRETS)


async def streams_with(broker: Broker, text: str) -> set[str]:
    """The streams in which a message holds a text."""
    found = set()
    for stream in STREAMS:
        name = stream.name or ""
        state = (await broker.jetstream.stream_info(name)).state
        for sequence in range(state.first_seq, state.last_seq + 1 if state.messages else 0):
            try:
                message = await broker.jetstream.get_msg(name, seq=sequence)
            except NotFoundError:
                continue
            if text.encode() in (message.data or b""):
                found.add(name)
    return found


async def delivered(mail: Mail, receiver: Receiver, ended: record.JobRecord) -> bool:
    """Whether a delivery of a job comes signed with the receiver's secret."""
    before = len(receiver.received)
    (delivery,) = deliveries(None, ended, {})
    delivery.attempt += before
    async with mail.sender():
        await publish_deliveries(mail.broker, [delivery])
        await receiver.wait_for(before + 1)
    return receiver.received[-1].signed


async def test_only_its_bucket_holds_a_secret(mail: Mail, receiver: Receiver) -> None:
    store = JobStore(mail.broker)
    await store.create(finished("job-1", receiver.url))
    assert await streams_with(mail.broker, SECRET) == {SECRETS}
    stored = (await store.get("job-1")).record
    assert [(hook.url, hook.secret) for hook in stored.config.webhooks] == [(receiver.url, "")]
    assert await store.webhook_secrets(stored) == [SECRET]
    assert await delivered(mail, receiver, stored)
    await store.erase_names("job-1")
    assert await streams_with(mail.broker, SECRET) == set()


@pytest.mark.parametrize("apart", [False, True])
async def test_a_record_of_before_is_served_and_loses_its_secret_when_it_is_written(
    mail: Mail, receiver: Receiver, apart: bool
) -> None:
    """It holds the secret itself, or the message of its names does."""
    broker, store = mail.broker, JobStore(mail.broker)
    old = finished("job-1", receiver.url)
    if apart:
        old.names_sequence = await Names(broker).store("job-1", names_of(old))
        old = without_names(old)
    revision = await broker.jobs.create("job-1", old.SerializeToString())
    before = await store.get("job-1")
    assert before.record.config.webhooks[0].secret == SECRET
    assert await delivered(mail, receiver, before.record)

    changed = record.JobRecord()
    changed.CopyFrom(before.record)
    changed.display_name = "another"
    await store.replace(StoredRecord(record=before.record, revision=revision), changed)
    assert await streams_with(broker, SECRET) == {SECRETS}
    after = (await store.get("job-1")).record
    assert (after.display_name, after.config.webhooks[0].secret) == ("another", "")
    assert await delivered(mail, receiver, after)


async def test_a_submit_that_lost_the_race_takes_no_secret_from_the_job(mail: Mail) -> None:
    store = JobStore(mail.broker)
    url = "http://127.0.0.1:9/"
    await store.create(finished("job-1", url))
    late = finished("job-1", url)
    late.config.webhooks[0].secret = "the secret of the late one"
    with pytest.raises(RevisionConflictError):
        await store.create(late)
    assert await store.webhook_secrets((await store.get("job-1")).record) == [SECRET]
    assert await streams_with(mail.broker, "the secret of the late one") == set()


async def test_a_submit_again_must_have_the_same_secret(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options["webhooks"] = {"allowed_networks": ["127.0.0.0/8"]}

    async def submit(client: Client, secret: str) -> str:
        hook = job.Webhook(url="http://127.0.0.1:9/hook", secret=secret)
        made = await client.create_job(
            recording(), features=("raw_transcript",), request_id="monday", webhooks=[hook]
        )
        return made.job_id

    async with empty_mesh.gateway() as address, Client(address) as client:
        first = await submit(client, SECRET)
        assert await submit(client, SECRET) == first
        with pytest.raises(ClientError) as refused:
            await submit(client, f"{SECRET}, changed")
    assert refused.value.reason == "REQUEST_ID_REUSED"
