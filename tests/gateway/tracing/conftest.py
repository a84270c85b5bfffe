"""A mesh whose parts send their traces to a collector of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.collector import Collector, collecting, tracing_variables


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    """A collector that every part which starts from now on sends its traces to."""
    async with collecting() as running:
        for name, value in tracing_variables(running).items():
            monkeypatch.setenv(name, value)
        yield running
