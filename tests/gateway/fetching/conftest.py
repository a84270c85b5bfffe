"""A server with recordings."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.gateway.fetching.origin import Origin


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin().running() as running:
        yield running
