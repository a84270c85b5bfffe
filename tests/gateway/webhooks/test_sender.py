"""What a receiver of finished jobs is sent."""

from __future__ import annotations

import asyncio
import time

import pytest
import structlog
from aiohttp import web

from maie_gateway.records.store import JobStore
from maie_gateway.webhooks import (
    TenantWebhook,
    WebhookSettings,
    check_webhooks,
    deliveries,
    open_webhooks,
    publish_deliveries,
)
from tests.conftest import free_port
from tests.gateway.webhooks.mail import QUICK, UNTIL_GIVEN_UP, Mail, answers
from tests.gateway.webhooks.receiver import SECRET, Receiver, finished

pytestmark = pytest.mark.mesh


async def test_a_finished_job_is_told_once_and_signed(mail: Mail, receiver: Receiver) -> None:
    new = finished("job-1", receiver.url)
    async with mail.sender():
        await mail.finish(new)
        await publish_deliveries(mail.broker, deliveries(None, new, {}))
        await mail.empty()
        await publish_deliveries(mail.broker, deliveries(None, new, {}))
        await asyncio.sleep(0.3)
    (request,) = receiver.received
    assert request.signed
    assert request.path == "/hook"
    assert request.headers["content-type"].startswith("application/cloudevents+json")
    assert abs(int(request.headers["maie-timestamp"]) - time.time()) < 60
    assert request.event["data"]["state"] == "JOB_STATE_FAILED"
    assert await mail.letters() == []


async def test_a_tenants_receiver_is_signed_with_its_own_secret(
    mail: Mail, receiver: Receiver
) -> None:
    hook = TenantWebhook.model_validate({"name": "crm", "url": receiver.url, "secret": SECRET})
    tenants = {"acme": (hook,)}
    new = finished("job-1", tenant="acme")
    await JobStore(mail.broker).create(new)
    async with mail.sender(tenants=tenants):
        await publish_deliveries(mail.broker, deliveries(None, new, tenants))
        await receiver.wait_for(1)
    assert receiver.received[0].signed


async def test_a_deleted_jobs_receiver_hears_nothing(mail: Mail, receiver: Receiver) -> None:
    async with mail.sender():
        await publish_deliveries(mail.broker, deliveries(None, finished("job-1", receiver.url), {}))
        await mail.empty()
    assert receiver.received == []
    assert await mail.letters() == []


async def test_an_endless_answer_is_not_read(mail: Mail, receiver: Receiver) -> None:
    sent = 0

    class Endless(web.StreamResponse):
        async def write_eof(self, data: bytes = b"") -> None:
            nonlocal sent
            while True:
                await self.write(b"x" * 65536)
                sent += 65536

    async def answer(_: int) -> web.StreamResponse:
        return Endless()

    receiver.answer = answer
    async with mail.sender():
        await mail.finish(finished("job-1", receiver.url))
        await mail.empty()
        await asyncio.sleep(0.2)
    assert len(receiver.received) == 1
    # What fits into the buffers of two sockets.
    assert sent < 16 * 1024 * 1024


async def test_gateways_share_the_work(mail: Mail, receiver: Receiver) -> None:
    for number in range(50):
        await mail.finish(finished(f"job-{number}", receiver.url))
    async with mail.sender(), mail.sender(), mail.sender():
        await mail.empty()
    assert len(receiver.ids) == len(set(receiver.ids)) == 50


async def test_a_gateways_webhooks_work_together(mail: Mail, receiver: Receiver) -> None:
    new = finished("job-1", receiver.url)
    async with open_webhooks(mail.broker, WebhookSettings(**QUICK)) as webhooks:
        await check_webhooks(new.config, webhooks.guard)
        await JobStore(mail.broker).create(new)
        await webhooks.follow(None, new)
        await webhooks.follow(new, new)
        webhooks.reconciler.changed(new, 1)
        await mail.empty()
    assert len(receiver.received) == 1


async def test_what_cannot_be_read_is_dropped(mail: Mail) -> None:
    async with mail.sender():
        await mail.broker.jetstream.publish("maie.webhook.job-1.0", b"\xff\xff")
        await mail.empty()


async def test_logs_hold_neither_secrets_nor_urls(mail: Mail, receiver: Receiver) -> None:
    receiver.answer = answers(500, 200)
    key = "key-in-the-url"
    with structlog.testing.capture_logs(
        processors=[structlog.contextvars.merge_contextvars]
    ) as logs:
        async with mail.sender(**UNTIL_GIVEN_UP):
            await mail.finish(finished("job-1", f"{receiver.url}?{key}"))
            await mail.finish(finished("job-2", f"http://127.0.0.1:{free_port()}/{key}"))
            await mail.finish(finished("job-3", f"http://user:{key}@127.0.0.1/"))
            await mail.empty()
    events = {entry["event"] for entry in logs}
    assert {"webhook.delivered", "webhook.failed", "webhook.given_up"} <= events
    assert all(entry["job"] for entry in logs)
    assert SECRET not in str(logs)
    assert key not in str(logs)
