from __future__ import annotations

from collections.abc import Sequence

import pytest

from maie.job.v1 import job_pb2 as job
from maie_core.errors import StageError
from maie_gateway.egress.guard import UrlGuard
from maie_gateway.webhooks import check_webhooks
from tests.gateway.webhooks.receiver import SECRET

pytestmark = pytest.mark.unit
NAMES = {
    "public.test": ["93.184.216.34"],
    "inside.test": ["10.0.0.1"],
    "half.test": ["93.184.216.34", "::1"],
    "empty.test": [],
}


async def resolve(host: str, port: int) -> Sequence[str]:
    if host not in NAMES:
        raise OSError("no such name")
    return NAMES[host]


@pytest.mark.parametrize(
    ("webhooks", "reason", "field"),
    [
        ([("http://inside.test/", SECRET)], "URI_NOT_ALLOWED", "config.webhooks[0].url"),
        ([("http://absent.test/", SECRET)], "URI_NOT_ALLOWED", "config.webhooks[0].url"),
        (
            [("http://public.test/", SECRET), ("file:///x", SECRET)],
            "URI_NOT_ALLOWED",
            "config.webhooks[1].url",
        ),
        ([("http://public.test/", "short")], "WEBHOOK_INVALID", "config.webhooks[0].secret"),
        (
            [("http://public.test/", "whsec_no Base64 at all")],
            "WEBHOOK_INVALID",
            "config.webhooks[0].secret",
        ),
        ([("http://public.test/", SECRET)] * 5, "WEBHOOK_INVALID", "config.webhooks"),
    ],
)
async def test_a_submit_with_a_bad_webhook_is_refused(
    webhooks: list[tuple[str, str]], reason: str, field: str
) -> None:
    config = job.JobConfig(webhooks=[job.Webhook(url=u, secret=s) for u, s in webhooks])
    with pytest.raises(StageError) as caught:
        await check_webhooks(config, UrlGuard(resolve))
    assert (caught.value.reason, caught.value.field) == (reason, field)


@pytest.mark.parametrize("events", [[0], [1, 99]])
async def test_an_event_that_is_not_known_is_refused(events: list[job.WebhookEvent]) -> None:
    hook = job.Webhook(url="http://public.test/", secret=SECRET, events=events)
    with pytest.raises(StageError) as caught:
        await check_webhooks(job.JobConfig(webhooks=[hook]), UrlGuard(resolve))
    assert caught.value.reason == "WEBHOOK_INVALID"
    assert caught.value.field == "config.webhooks[0].events"


async def test_good_webhooks_pass() -> None:
    config = job.JobConfig(webhooks=[job.Webhook(url="https://public.test/x", secret=SECRET)])
    await check_webhooks(config, UrlGuard(resolve))
