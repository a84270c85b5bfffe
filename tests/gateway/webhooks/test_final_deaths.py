"""Gateways and brokers that die with finals in hand: none is lost, tracks keep their order."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from maie_gateway.webhooks import WebhookSettings
from maie_runtime.bus import subjects
from tests.conftest import NatsServer
from tests.gateway.webhooks.mail import QUICK, Mail
from tests.gateway.webhooks.meeting import Meeting
from tests.gateway.webhooks.receiver import Receiver
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker does not wait long for the answer of a gateway that died."""
    monkeypatch.setattr("maie_gateway.webhooks.finals.sender.ACK_MARGIN_SECONDS", 0.5)
    monkeypatch.setattr("maie_gateway.webhooks.finals.relay.ACK_WAIT_SECONDS", 1.0)


async def victim(nats_server: NatsServer, fault: str) -> asyncio.subprocess.Process:
    """A gateway that is killed at a point, the second time that it comes there."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("run_webhooks.py")), nats_server.url),
        WebhookSettings(**QUICK).model_dump_json(),
        env={**os.environ, "MAIE_FAULT": f"{fault}:kill@2"},
        stdout=asyncio.subprocess.DEVNULL,
    )


async def test_finals_of_a_gateway_that_died_right_after_it_stored_them_are_sent(
    mail: Mail, receiver: Receiver
) -> None:
    meeting = await Meeting.begin(mail.broker, receiver.url)
    await meeting.say(5)
    async with mail.all():
        await receiver.wait_for(5)
    assert receiver.ids == meeting.ids(5)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", ["finals.before_note", "finals.after_send"])
async def test_a_gateway_that_is_killed_in_between_leaves_the_rest_to_another(
    mail: Mail, receiver: Receiver, nats_server: NatsServer, fault: str
) -> None:
    meeting = await Meeting.begin(mail.broker, receiver.url)
    killed = await victim(nats_server, fault)
    await meeting.say(4)
    assert await killed.wait() == -9
    sent = len(receiver.ids)
    async with mail.all(timeout_seconds=1):
        await meeting.say(2)
        await mail.empty(subjects.FINALS)
        # A note that the dead gateway did not store comes later.
        await receiver.wait_for(6)
        await mail.empty(subjects.FINALS)
    assert list(dict.fromkeys(receiver.ids)) == meeting.ids(6)
    if fault == "finals.after_send":
        # It could not store that it had sent the second one, which comes again, as it was.
        assert receiver.ids[sent - 1] == receiver.ids[sent] == meeting.ids(2)[1]
        assert receiver.received[sent - 1].body == receiver.received[sent].body


@pytest.mark.slow
async def test_finals_survive_a_restart_of_the_broker(
    mail: Mail, receiver: Receiver, nats_server: NatsServer
) -> None:
    meeting = await Meeting.begin(mail.broker, receiver.url)
    await meeting.say(3)
    async with mail.all():
        await receiver.wait_for(3)
        await nats_server.stop(kill=True)
        await nats_server.start()
        await meeting.say(3)
        await receiver.wait_for(6)
    assert list(dict.fromkeys(receiver.ids)) == meeting.ids(6)


@pytest.mark.slow
async def test_finals_wait_in_a_broker_that_restarts_while_no_gateway_runs(
    mail: Mail, nats_server: NatsServer
) -> None:
    receiver = Receiver()
    meeting = await Meeting.begin(mail.broker, receiver.url)
    async with mail.all():
        await meeting.say(3)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await mail.waiting(subjects.FINALS):
                await asyncio.sleep(0.02)
    await nats_server.stop(kill=True)
    await nats_server.start()
    async with receiver.running(), mail.all():
        await receiver.wait_for(3)
    assert list(dict.fromkeys(receiver.ids)) == meeting.ids(3)
