from __future__ import annotations

import asyncio
import os
import shutil
import signal
import ssl
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp import web

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import record_pb2 as record
from maie_gateway.store import JobStore
from maie_gateway.webhooks import (
    TenantWebhook,
    UrlGuard,
    WebhookReconciler,
    WebhookSender,
    WebhookSettings,
    check_webhooks,
    deliveries,
    open_guard,
    open_webhooks,
    publish_deliveries,
    replay,
)
from maie_gateway.webhooks.guard import Resolve
from maie_runtime import subjects
from maie_runtime.broker import Broker, open_broker
from tests.conftest import NatsServer, free_port
from tests.gateway.webhooks.receiver import SECRET, Receiver, accept, finished

pytestmark = pytest.mark.mesh
LOOPBACK = ["127.0.0.0/8"]
QUICK: dict[str, Any] = {
    "allowed_networks": LOOPBACK,
    "timeout_seconds": 0.5,
    "retry_min_seconds": 0.05,
    "retry_max_seconds": 0.2,
    "breaker_pause_seconds": 0.3,
}
UNTIL_GIVEN_UP: dict[str, Any] = {**QUICK, "breaker_failures": 1000, "give_up_hours": 0.5 / 3600}


@dataclass(kw_only=True)
class Mail:
    """What a test needs of a mesh: jobs that finish, and what becomes of their deliveries."""

    broker: Broker

    @asynccontextmanager
    async def sender(self, resolve: Resolve | None = None, **options: Any) -> AsyncIterator[None]:
        settings = WebhookSettings(**{**QUICK, **options})
        with open_guard(settings.allowed_networks) as guard:
            if resolve is not None:
                guard = UrlGuard(resolve, settings.allowed_networks)
            sender = WebhookSender(self.broker, JobStore(self.broker), settings, guard)
            async with sender.running():
                yield

    async def finish(self, new: record.JobRecord) -> None:
        await JobStore(self.broker).create(new)
        await publish_deliveries(self.broker, deliveries(None, new, {}))

    async def waiting(self) -> int:
        info = await self.broker.jetstream.stream_info(subjects.WEBHOOKS)
        return int(info.state.messages)

    async def empty(self, seconds: float = 15) -> None:
        async with asyncio.timeout(seconds):
            while await self.waiting():
                await asyncio.sleep(0.02)

    async def letters(self) -> list[event.DeadLetter]:
        info = await self.broker.jetstream.stream_info(subjects.DEAD_LETTERS)
        found = []
        for sequence in range(1, info.state.messages + 1):
            message = await self.broker.jetstream.get_msg(subjects.DEAD_LETTERS, sequence)
            found.append(event.DeadLetter.FromString(message.data or b""))
        return found


@pytest.fixture
async def mail(nats_server: NatsServer) -> AsyncIterator[Mail]:
    async with open_broker(nats_server.url, "test") as broker:
        yield Mail(broker=broker)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver().running() as running:
        yield running


def answers(*statuses: int) -> Any:
    async def answer(number: int) -> web.StreamResponse:
        return web.Response(status=statuses[min(number, len(statuses)) - 1])

    return answer


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


async def test_errors_and_redirects_are_tried_again_with_the_same_event(
    mail: Mail, receiver: Receiver
) -> None:
    receiver.answer = answers(500, 503, 429, 404, 301, 200)
    async with mail.sender(breaker_failures=100):
        await mail.finish(finished("job-1", receiver.url))
        await mail.empty()
    assert len(receiver.received) == 6
    assert len({request.body for request in receiver.received}) == 1
    assert all(request.signed for request in receiver.received)


async def test_a_receiver_that_does_not_answer_in_time_is_tried_again(
    mail: Mail, receiver: Receiver
) -> None:
    async def answer(number: int) -> web.StreamResponse:
        await asyncio.sleep(1.5 if number == 1 else 0)
        return await accept(number)

    receiver.answer = answer
    async with mail.sender():
        await mail.finish(finished("job-1", receiver.url))
        await mail.empty()
    assert len(set(receiver.ids)) == 1
    assert len(receiver.ids) == 2


async def test_a_receiver_that_is_down_gets_everything_once_it_is_up(mail: Mail) -> None:
    receiver = Receiver()
    async with mail.sender(breaker_failures=3):
        for number in range(20):
            await mail.finish(finished(f"job-{number}", receiver.url))
        await asyncio.sleep(1)
        assert await mail.waiting() == 20
        async with receiver.running():
            await mail.empty()
    assert len(receiver.ids) == len(set(receiver.ids)) == 20
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


async def test_a_redirect_to_the_inside_is_not_followed(mail: Mail, receiver: Receiver) -> None:
    async with Receiver().running() as inside:

        async def answer(_: int) -> web.StreamResponse:
            return web.Response(status=307, headers={"location": inside.url})

        receiver.answer = answer
        async with mail.sender(**UNTIL_GIVEN_UP):
            await mail.finish(finished("job-1", receiver.url))
            await mail.empty()
        assert inside.received == []
    (letter,) = await mail.letters()
    assert letter.failure.reason == "RECEIVER_STATUS_307"


async def test_what_fails_too_long_is_a_dead_letter_and_can_be_sent_again(
    mail: Mail, receiver: Receiver
) -> None:
    receiver.answer = answers(500)
    async with mail.sender(**UNTIL_GIVEN_UP):
        await mail.finish(finished("job-1", receiver.url))
        await mail.empty()
        (letter,) = await mail.letters()
        assert (letter.task.job_id, letter.task.unit) == ("job-1", "webhook.0")
        assert letter.task.attempt >= 5
        assert letter.failure.reason == "RECEIVER_STATUS_500"
        assert SECRET not in str(letter)
        receiver.answer = accept
        await replay(mail.broker, letter)
        await mail.empty()
    assert len(set(receiver.ids)) == 1
    assert len(await mail.letters()) == 1


async def test_a_receiver_that_is_left_alone_too_long_is_given_up_too(mail: Mail) -> None:
    async with mail.sender(**{**UNTIL_GIVEN_UP, "breaker_failures": 1}):
        await mail.finish(finished("job-1", f"http://127.0.0.1:{free_port()}/"))
        await mail.empty()
    (letter,) = await mail.letters()
    assert letter.failure.reason in ("RECEIVER_DOWN", "RECEIVER_UNREACHABLE")


async def test_gone_is_given_up_at_once(mail: Mail, receiver: Receiver) -> None:
    receiver.answer = answers(410)
    async with mail.sender():
        await mail.finish(finished("job-1", receiver.url))
        await mail.empty()
    assert len(receiver.received) == 1
    (letter,) = await mail.letters()
    assert letter.failure.reason == "RECEIVER_STATUS_410"


async def test_a_deleted_jobs_receiver_hears_nothing(mail: Mail, receiver: Receiver) -> None:
    async with mail.sender():
        await publish_deliveries(mail.broker, deliveries(None, finished("job-1", receiver.url), {}))
        await mail.empty()
    assert receiver.received == []
    assert await mail.letters() == []


async def test_a_receiver_that_is_not_configured_any_more_is_a_dead_letter(mail: Mail) -> None:
    new = finished("job-1", tenant="acme")
    hook = {"name": "crm", "url": "http://127.0.0.1:9/", "secret": SECRET}
    told = deliveries(None, new, {"acme": (TenantWebhook.model_validate(hook),)})
    await JobStore(mail.broker).create(new)
    async with mail.sender():
        await publish_deliveries(mail.broker, told)
        await mail.empty()
    assert [letter.failure.reason for letter in await mail.letters()] == ["WEBHOOK_UNKNOWN"]


async def test_the_breaker_leaves_a_sick_receiver_alone_and_lets_it_back(
    mail: Mail, receiver: Receiver
) -> None:
    receiver.answer = answers(500, 500, 500, 500, 200)
    options: dict[str, Any] = {"breaker_failures": 4, "breaker_pause_seconds": 1.5}
    async with Receiver().running() as other, mail.sender(**options):
        await mail.finish(finished("job-1", receiver.url))
        await receiver.wait_for(4)
        opened = time.monotonic()
        for number in range(10):
            await mail.finish(finished(f"job-other-{number}", receiver.url, other.url))
        await other.wait_for(10, seconds=1.2)
        assert len(receiver.received) == 4
        await receiver.wait_for(5)
        assert time.monotonic() - opened > 1.3
        await mail.empty()
    assert len(set(receiver.ids)) == 11


async def test_a_slow_receiver_does_not_hold_up_the_others(mail: Mail, receiver: Receiver) -> None:
    async def answer(number: int) -> web.StreamResponse:
        await asyncio.sleep(0.4)
        return await accept(number)

    receiver.answer = answer
    places: dict[str, Any] = {"concurrency": 8, "concurrency_per_receiver": 2}
    async with Receiver().running() as other, mail.sender(timeout_seconds=5, **places):
        for number in range(12):
            await mail.finish(finished(f"slow-{number}", receiver.url))
        began = time.monotonic()
        for number in range(10):
            await mail.finish(finished(f"fast-{number}", other.url))
        await other.wait_for(10)
        assert time.monotonic() - began < 2
        assert len(receiver.received) < 12
        await mail.empty()
    assert receiver.most_inside == 2
    assert len(receiver.ids) == len(set(receiver.ids)) == 12


async def test_a_sender_that_dies_before_the_ack_sends_the_same_event_again(
    mail: Mail, receiver: Receiver, nats_server: NatsServer
) -> None:
    victim = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("run_sender.py")), nats_server.url),
        WebhookSettings(**QUICK).model_dump_json(),
    )

    async def answer(number: int) -> web.StreamResponse:
        if number == 1:
            # It hears that it delivered, and dies before it can say so.
            os.kill(victim.pid, signal.SIGSTOP)
        return await accept(number)

    receiver.answer = answer
    await mail.finish(finished("job-1", receiver.url))
    await receiver.wait_for(1)
    await asyncio.sleep(0.1)
    victim.kill()
    await victim.wait()
    assert await mail.waiting() == 1
    async with mail.sender():
        await mail.empty(seconds=20)
    assert receiver.ids == ["job-1/JOB_STATE_FAILED/3"] * 2
    assert receiver.received[0].body == receiver.received[1].body


async def test_gateways_share_the_work(mail: Mail, receiver: Receiver) -> None:
    for number in range(50):
        await mail.finish(finished(f"job-{number}", receiver.url))
    async with mail.sender(), mail.sender(), mail.sender():
        await mail.empty()
    assert len(receiver.ids) == len(set(receiver.ids)) == 50


async def test_deliveries_survive_a_restart_of_the_broker(
    mail: Mail, receiver: Receiver, nats_server: NatsServer
) -> None:
    async with mail.sender():
        await mail.finish(finished("job-1", receiver.url))
        await mail.empty()
        await nats_server.stop(kill=True)
        await nats_server.start()
        await mail.finish(finished("job-2", receiver.url))
        await receiver.wait_for(2, seconds=20)
    assert len(set(receiver.ids)) == 2


async def test_private_addresses_are_refused_where_no_setting_allows_them(
    mail: Mail, receiver: Receiver
) -> None:
    async with mail.sender(allowed_networks=()):
        await mail.finish(finished("job-1", receiver.url))
        await mail.finish(finished("job-2", f"http://localhost:{receiver.port}/"))
        await mail.finish(finished("job-3", f"http://[::ffff:127.0.0.1]:{receiver.port}/"))
        await mail.finish(finished("job-4", "http://169.254.169.254/latest/meta-data"))
        await mail.empty()
    assert receiver.received == []
    assert [letter.failure.reason for letter in await mail.letters()] == ["URI_NOT_ALLOWED"] * 4


async def test_a_name_that_leads_inside_later_is_refused(mail: Mail, receiver: Receiver) -> None:
    given = ["93.184.216.34", "127.0.0.1"]

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return [given.pop(0) if len(given) > 1 else given[0]]

    assert await rebinding("at the submit", 80) == ["93.184.216.34"]
    async with mail.sender(rebinding, allowed_networks=()):
        await mail.finish(finished("job-1", f"http://rebind.test:{receiver.port}/"))
        await mail.empty()
    assert receiver.received == []
    assert [letter.failure.reason for letter in await mail.letters()] == ["URI_NOT_ALLOWED"]


async def test_the_connection_goes_to_the_address_that_was_checked(
    mail: Mail, receiver: Receiver
) -> None:
    asked = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    # The system knows no name of this domain (RFC 6761), so nobody else can have resolved it.
    async with mail.sender(resolve):
        await mail.finish(finished("job-1", f"http://pinned.invalid:{receiver.port}/x?y=z"))
        await receiver.wait_for(1)
    assert asked == ["pinned.invalid"]
    assert receiver.received[0].headers["host"] == f"pinned.invalid:{receiver.port}"
    assert receiver.received[0].path == "/x?y=z"


async def test_tls_asks_for_the_name_and_trusts_no_strangers_certificate(
    mail: Mail, tmp_path: Path
) -> None:
    if not (openssl := shutil.which("openssl")):
        pytest.skip("openssl was not found")
    made = await asyncio.create_subprocess_exec(
        *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=pinned.invalid"),
        *("-keyout", tmp_path / "key.pem", "-out", tmp_path / "certificate.pem"),
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await made.wait() == 0
    names: list[str] = []
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    tls.sni_callback = lambda _, name, __: names.append(name)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with Receiver(tls=tls).running() as receiver, mail.sender(resolve, **UNTIL_GIVEN_UP):
        await mail.finish(finished("job-1", f"https://pinned.invalid:{receiver.port}/"))
        await mail.empty()
        assert receiver.received == []
    assert set(names) == {"pinned.invalid"}
    assert [letter.failure.reason for letter in await mail.letters()] == ["RECEIVER_UNREACHABLE"]


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


async def test_a_gateways_webhooks_work_together(mail: Mail, receiver: Receiver) -> None:
    new = finished("job-1", receiver.url)
    await JobStore(mail.broker).create(new)
    async with open_webhooks(mail.broker, WebhookSettings(**QUICK)) as webhooks:
        await check_webhooks(new.config, webhooks.guard)
        await webhooks.follow(None, new)
        await webhooks.follow(new, new)
        webhooks.reconciler.changed(new, 1)
        await mail.empty()
    assert len(receiver.received) == 1


async def test_what_cannot_be_read_is_dropped(mail: Mail) -> None:
    async with mail.sender():
        await mail.broker.jetstream.publish("maie.webhook.job-1.0", b"\xff\xff")
        await mail.empty()
