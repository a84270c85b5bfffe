"""A gateway's sender as a process that a test can kill: run_sender.py NATS_URL SETTINGS."""

from __future__ import annotations

import asyncio
import sys

from maie_gateway.egress.guard import open_guard
from maie_gateway.records.store import JobStore
from maie_gateway.webhooks import WebhookSender, WebhookSettings
from maie_gateway.webhooks.gate import receiver_breaker
from maie_runtime.bus.provision import open_provisioned_broker


async def main() -> None:
    async with open_provisioned_broker(sys.argv[1], "sender") as broker:
        settings = WebhookSettings.model_validate_json(sys.argv[2])
        with open_guard(settings.allowed_networks) as guard:
            store, breaker = JobStore(broker), receiver_breaker(settings)
            async with WebhookSender(broker, store, settings, guard, breaker).running():
                await asyncio.Future()


asyncio.run(main())
