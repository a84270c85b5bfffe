"""A gateway's sender as a process that a test can kill: python -m ... NATS_URL."""

from __future__ import annotations

import asyncio
import sys

from maie_gateway.store import JobStore
from maie_gateway.webhooks import WebhookSender, WebhookSettings
from maie_runtime.broker import open_broker


async def main() -> None:
    async with open_broker(sys.argv[1], "sender") as broker:
        settings = WebhookSettings.model_validate_json(sys.argv[2])
        async with WebhookSender(broker, JobStore(broker), settings).running():
            await asyncio.Future()


asyncio.run(main())
