"""The receivers of a session get the finals that its client gets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from google.protobuf.json_format import ParseDict

from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from tests.conftest import free_port
from tests.gateway.live.conftest import LiveMesh, client_of
from tests.gateway.live.conversation import Conversation, config, talking
from tests.gateway.live.speech import said
from tests.gateway.test_gateway_deaths import dying_gateway
from tests.gateway.webhooks.mail import LOOPBACK, QUICK
from tests.gateway.webhooks.receiver import SECRET, Receiver
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

BOTH = (job.WEBHOOK_EVENT_JOB_FINISHED, job.WEBHOOK_EVENT_LIVE_FINAL)


def hooked(url: str, events: Sequence[job.WebhookEvent] = BOTH) -> live.SessionConfig:
    """The config of a session with a receiver."""
    return config(webhooks=[job.Webhook(url=url, secret=SECRET, events=events)])


@pytest.fixture
def hook_mesh(live_mesh: LiveMesh) -> LiveMesh:
    """A mesh whose gateways send to receivers on this machine."""
    live_mesh.empty.gateway_options["webhooks"] = QUICK
    return live_mesh


@pytest.fixture
async def receiver() -> Receiver:
    """A receiver, not started."""
    return Receiver()


def finals(talk: Conversation) -> dict[str, live.Final]:
    """The finals that the client got, by utterance."""
    return {each.final.segment.segment_id: each.final for each in talk.of("final")}


def sent(receiver: Receiver) -> dict[str, live.Final]:
    """The finals that a receiver got, by utterance, in their order."""
    events = [request.event for request in receiver.received]
    of_finals = [each for each in events if each["type"] == "maie.live.final.v1"]
    assert all(request.signed for request in receiver.received)
    return {
        each["id"].rpartition("/")[2]: ParseDict(each["data"], live.Final()) for each in of_finals
    }


async def subjects_of(broker: Broker, stream: str, session_id: str) -> list[str]:
    info = await broker.jetstream.stream_info(stream, subjects_filter=">")
    return [name for name in info.state.subjects or {} if session_id in name]


async def test_a_receiver_gets_the_finals_of_a_session_and_then_its_end(
    hook_mesh: LiveMesh, receiver: Receiver
) -> None:
    async with receiver.running(), hook_mesh.talking() as (talk, _):
        started = await talk.start(hooked(receiver.url))
        assert [hook.secret for hook in started.config.job.webhooks] == [""]
        await talk.audio("ann", said([1, 2]))
        await talk.audio("bob", said([3]))
        await receiver.wait_for(3)
        await talk.next("final", 3)
        assert sent(receiver) == finals(talk)
        await talk.end()
        await receiver.wait_for(4)
    types = [request.event["type"] for request in receiver.received]
    assert types == ["maie.live.final.v1"] * 3 + ["maie.job.finished.v1"]
    assert {request.event["subject"] for request in receiver.received} == {started.session_id}


async def test_a_job_of_live_speech_has_receivers_of_its_end_alone_by_default(
    hook_mesh: LiveMesh, receiver: Receiver
) -> None:
    async with receiver.running(), hook_mesh.talking() as (talk, _):
        await talk.start(hooked(receiver.url, ()))
        await talk.audio("ann", said([1]))
        await talk.next("final")
        await talk.end()
        await receiver.wait_for(1)
    assert [request.event["type"] for request in receiver.received] == ["maie.job.finished.v1"]


async def test_a_deleted_session_leaves_nothing_to_be_sent(
    hook_mesh: LiveMesh, receiver: Receiver
) -> None:
    broker, places = hook_mesh.broker, (subjects.FINALS, subjects.bucket_stream(subjects.FEEDS))
    async with hook_mesh.running() as (address, _), client_of(address) as client:
        async with talking(address) as talk:
            started = await talk.start(hooked(receiver.url))
            async with receiver.running():
                await talk.audio("ann", said([1]))
                await receiver.wait_for(1)
            await talk.audio("ann", said([2, 3]))
            await talk.next("final", 3)
            await talk.end()
        async for _ in client.watch_job(started.session_id):
            pass
        async with asyncio.timeout(PATIENCE_SECONDS):
            for stream in places:
                while not await subjects_of(broker, stream, started.session_id):
                    await asyncio.sleep(0.02)
        await client.delete_job(started.session_id)
        for stream in places:
            assert await subjects_of(broker, stream, started.session_id) == []
        # Another session is served, by which time the first one's would have come.
        async with receiver.running(), talking(address) as talk:
            other = await talk.start(hooked(receiver.url))
            await talk.audio("ann", said([4]))
            await until(lambda: other.session_id in str(receiver.ids))
    assert [each for each in receiver.ids if started.session_id in each] == [
        f"{started.session_id}/t01-u0001"
    ]


async def test_finals_of_a_killed_gateway_are_sent_by_another(
    hook_mesh: LiveMesh, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maie_gateway.webhooks.finals.relay.ACK_WAIT_SECONDS", 1.0)
    port = free_port()
    variables = {"MAIE_WEBHOOKS_ALLOWED_NETWORKS": f'["{LOOPBACK[0]}"]'}
    async with receiver.running(), hook_mesh.replica():
        dying = dying_gateway(hook_mesh.empty, "finals.before_note", port, **variables)
        async with dying, talking(f"127.0.0.1:{port}") as talk:
            started = await talk.start(hooked(receiver.url))
            await talk.audio("ann", said([1]))
            await talk.over.wait()
        assert receiver.received == []
        async with hook_mesh.gateway() as address, talking(address) as again:
            again.sent = talk.sent
            resumed = await again.resume(started)
            await receiver.wait_for(1)
            # Whether the client saw it before or not.
            await again.next("final", 1)
            assert sent(receiver) == finals(again)
            again.sent["ann"] = resumed.tracks[0].durable_sequence
            await again.audio("ann", said([2]))
            await receiver.wait_for(2)
            await again.next("final", 2)
            assert sent(receiver) == finals(again)
            await again.end()
