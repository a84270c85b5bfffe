"""A stage without an engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.empty_stages import EmptyStage, empty_stages
from tests.nats_cluster import NatsCluster


@pytest.fixture
def stage() -> EmptyStage:
    """An ASR stage without an engine."""
    return empty_stages()["asr"]


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[NatsCluster]:
    """Three servers that are open to all."""
    made = NatsCluster(tmp_path)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()
