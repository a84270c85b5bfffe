"""Senders, gateways and brokers that die with deliveries in hand."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from aiohttp import web

from maie_gateway.records.store import JobStore
from maie_gateway.webhooks import WebhookReconciler, WebhookSettings
from tests.conftest import NatsServer
from tests.gateway.webhooks.mail import QUICK, Mail
from tests.gateway.webhooks.receiver import Receiver, accept, finished

pytestmark = pytest.mark.mesh


async def test_a_sender_that_dies_before_the_ack_sends_the_same_event_again(
    mail: Mail, receiver: Receiver, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # For the second sender, so that the broker does not wait long for the first one's ack.
    monkeypatch.setattr("maie_gateway.webhooks.sender.ACK_MARGIN_SECONDS", 0.5)
    victim = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("run_sender.py")), nats_server.url),
        WebhookSettings(**QUICK).model_dump_json(),
    )

    async def answer(number: int) -> web.StreamResponse:
        if number == 1:
            # It gets the answer to its delivery, and dies before it can record it.
            os.kill(victim.pid, signal.SIGSTOP)
        return await accept(number)

    receiver.answer = answer
    await mail.finish(finished("job-1", receiver.url))
    await receiver.wait_for(1)
    await asyncio.sleep(0.1)
    victim.kill()
    await victim.wait()
    assert await mail.waiting() == 1
    async with mail.sender(timeout_seconds=3):
        await mail.empty()
    assert receiver.ids == ["job-1/JOB_STATE_FAILED/3"] * 2
    assert receiver.received[0].body == receiver.received[1].body


@pytest.mark.slow
async def test_deliveries_survive_a_restart_of_the_broker(
    mail: Mail, receiver: Receiver, nats_server: NatsServer
) -> None:
    async with mail.sender():
        await mail.finish(finished("job-1", receiver.url))
        await mail.empty()
        await nats_server.stop(kill=True)
        await nats_server.start()
        await mail.finish(finished("job-2", receiver.url))
        await receiver.wait_for(2)
    assert len(set(receiver.ids)) == 2


async def test_what_a_dead_gateway_owed_is_told_and_nothing_twice(
    mail: Mail, receiver: Receiver
) -> None:
    store = JobStore(mail.broker)
    told, owed, old = (finished(f"job-{name}", receiver.url) for name in ("told", "owed", "old"))
    for new in (told, owed):
        new.log[-1].event_time.GetCurrentTime()
    await mail.finish(told)
    await store.create(owed)
    await store.create(old)
    reconciler = WebhookReconciler(mail.broker, store, {}, settled_seconds=0.2)
    async with mail.sender(), reconciler.running():
        for new in (told, owed, old):
            reconciler.changed(new)
        await receiver.wait_for(2)
        await asyncio.sleep(0.5)
    assert sorted(receiver.ids) == ["job-owed/JOB_STATE_FAILED/3", "job-told/JOB_STATE_FAILED/3"]
