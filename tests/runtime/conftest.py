"""A broker with the mesh's streams, and a stage without an engine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from maie_runtime.broker import Broker, open_broker
from tests.conftest import NatsServer
from tests.empty_stages import EmptyStage, empty_stages


@pytest.fixture
async def broker(nats_server: NatsServer) -> AsyncIterator[Broker]:
    """A connection with the streams in place."""
    async with open_broker(nats_server.url, "test") as opened:
        yield opened


@pytest.fixture
def stage() -> EmptyStage:
    """An ASR stage without an engine."""
    return empty_stages()["asr"]
