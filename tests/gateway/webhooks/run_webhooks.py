"""All that a gateway does for webhooks, as a process: run_webhooks.py NATS_URL SETTINGS."""

from __future__ import annotations

import asyncio
import sys

from maie_gateway.webhooks import WebhookSettings, open_webhooks
from maie_runtime.bus.provision import open_provisioned_broker


async def main() -> None:
    settings = WebhookSettings.model_validate_json(sys.argv[2])
    async with (
        open_provisioned_broker(sys.argv[1], "webhooks") as broker,
        open_webhooks(broker, settings),
    ):
        await asyncio.Future()


asyncio.run(main())
