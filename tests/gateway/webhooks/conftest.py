"""A broker with deliveries, and a receiver of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from maie_runtime.bus.provision import open_provisioned_broker
from tests.conftest import NatsServer
from tests.gateway.webhooks.mail import Mail
from tests.gateway.webhooks.receiver import Receiver


@pytest.fixture
async def mail(nats_server: NatsServer) -> AsyncIterator[Mail]:
    async with open_provisioned_broker(nats_server.url, "test") as broker:
        yield Mail(broker=broker)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver().running() as running:
        yield running
