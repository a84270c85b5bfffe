"""The console in Chromium, before a gateway with empty stages in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page

from tests.browser import browser, complaints, page  # noqa: F401 - fixtures
from tests.conftest import nats_server  # noqa: F401 - a fixture
from tests.gateway.conftest import EmptyMesh, empty_mesh  # noqa: F401 - a fixture
from tests.web.conftest import Web, web  # noqa: F401 - a fixture


@pytest.fixture
async def library(web: Web, page: Page) -> AsyncIterator[Page]:  # noqa: F811
    """The library, which is empty; no page may complain, or ask another host."""
    found = complaints(page)
    await page.goto(web.url)
    yield page
    # Empty stages have no sound that plays, and a recording that is not there is 404; a save that
    # somebody else was faster than is 409.
    expected = ("404", "409")
    assert [each for each in found.errors if not any(code in each for code in expected)] == []
    assert found.elsewhere == []
