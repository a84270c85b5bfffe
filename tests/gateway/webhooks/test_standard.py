"""Deliveries are Standard Webhooks, which the official library verifies."""

from __future__ import annotations

import base64
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from maie_core.errors import StageError
from maie_gateway.records.store import JobStore
from maie_gateway.webhooks import TenantWebhook, deliveries, publish_deliveries
from maie_gateway.webhooks.signatures import headers, standard_key
from tests.gateway.webhooks.mail import Mail
from tests.gateway.webhooks.meeting import Meeting
from tests.gateway.webhooks.receiver import Receiver, finished

WHSEC = "whsec_" + base64.b64encode(bytes(range(32))).decode()
ANOTHER = "whsec_" + base64.b64encode(bytes(32)).decode()
CONTENT = '{"id": "j/JOB_STATE_FAILED/3", "text": "Große Runde 会議"}'.encode()
EVENT = "j/JOB_STATE_FAILED/3"


@pytest.mark.unit
def test_the_library_tells_true_from_false() -> None:
    sent = headers(WHSEC, EVENT, CONTENT)
    assert Webhook(WHSEC).verify(CONTENT, sent)["id"] == sent["webhook-id"] == EVENT
    changed = [
        (CONTENT + b" ", sent),
        (CONTENT, {**sent, "webhook-id": "j/JOB_STATE_FAILED/4"}),
        (CONTENT, {**sent, "webhook-timestamp": str(int(sent["webhook-timestamp"]) + 1)}),
        (CONTENT, headers(WHSEC, EVENT, CONTENT, now=time.time() - 3600)),
        (CONTENT, headers(ANOTHER, EVENT, CONTENT)),
    ]
    for content, given in changed:
        with pytest.raises(WebhookVerificationError):
            Webhook(WHSEC).verify(content, given)


@pytest.mark.unit
def test_the_signature_is_the_one_that_openssl_computes() -> None:
    # printf 'msg_1.1700000000.{"a":1}' |
    #   openssl dgst -sha256 -hmac 'a secret of the receiver' -binary | base64
    sent = headers("a secret of the receiver", "msg_1", b'{"a":1}', now=1700000000.9)
    assert sent["webhook-signature"] == "v1,oMmYUPWbnlH0ocVxzjUgMnLPX1bXBCngIMFge3fvIhE="
    assert sent["webhook-timestamp"] == sent["maie-timestamp"] == "1700000000"


@pytest.mark.unit
@pytest.mark.parametrize(
    "key", ["", "not Base64 at all, though long enough", "c2hvcnQ=", "A" * 31, "A" * 4 * 30]
)
def test_a_key_that_libraries_would_refuse_is_refused(key: str) -> None:
    with pytest.raises(StageError) as refused:
        standard_key(f"whsec_{key}")
    assert refused.value.reason == "WEBHOOK_INVALID"
    hook = {"name": "crm", "url": "https://crm.test/hook", "secret": f"whsec_{key}".ljust(16)}
    with pytest.raises(ValueError, match="openssl rand") as unset:
        TenantWebhook.model_validate(hook)
    assert not key or key not in str(unset.value)


@pytest.mark.mesh
async def test_receivers_of_a_job_and_of_a_tenant_verify_with_their_whsec_secrets(
    mail: Mail, receiver: Receiver
) -> None:
    new = finished("job-1", receiver.url, tenant="acme")
    new.config.webhooks[0].secret = WHSEC
    async with Receiver().running() as of_tenant:
        hook = {"name": "crm", "url": of_tenant.url, "secret": ANOTHER}
        tenants = {"acme": (TenantWebhook.model_validate(hook),)}
        await JobStore(mail.broker).create(new)
        async with mail.sender(tenants=tenants):
            await publish_deliveries(mail.broker, deliveries(None, new, tenants))
            await mail.empty()
        assert [each.verified_by(WHSEC) for each in receiver.received] == [True]
        assert [each.verified_by(ANOTHER) for each in of_tenant.received] == [True]
        assert not of_tenant.received[0].verified_by(WHSEC)


@pytest.mark.mesh
async def test_finals_verify_with_a_whsec_secret(mail: Mail, receiver: Receiver) -> None:
    meeting = await Meeting.begin(mail.broker, receiver.url, secret=WHSEC)
    async with mail.all():
        await meeting.say(2)
        await receiver.wait_for(2)
    assert [each.verified_by(WHSEC) for each in receiver.received] == [True, True]
    assert [each.headers["webhook-id"] for each in receiver.received] == meeting.ids(2)
