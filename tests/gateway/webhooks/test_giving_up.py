"""Deliveries that become dead letters."""

from __future__ import annotations

import pytest

from maie_gateway.records.store import JobStore
from maie_gateway.webhooks import TenantWebhook, deliveries, publish_deliveries, replay
from tests.conftest import free_port
from tests.gateway.webhooks.mail import UNTIL_GIVEN_UP, Mail, answers
from tests.gateway.webhooks.receiver import SECRET, Receiver, accept, finished

pytestmark = pytest.mark.mesh


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
        assert letter.failure.reason == "RECEIVER_STATUS"
        assert "500" in letter.failure.message
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
    assert letter.failure.reason == "RECEIVER_STATUS"
    assert "410" in letter.failure.message


async def test_a_receiver_that_is_not_configured_any_more_is_a_dead_letter(mail: Mail) -> None:
    new = finished("job-1", tenant="acme")
    hook = {"name": "crm", "url": "http://127.0.0.1:9/", "secret": SECRET}
    told = deliveries(None, new, {"acme": (TenantWebhook.model_validate(hook),)})
    await JobStore(mail.broker).create(new)
    async with mail.sender():
        await publish_deliveries(mail.broker, told)
        await mail.empty()
    assert [letter.failure.reason for letter in await mail.letters()] == ["WEBHOOK_UNKNOWN"]
