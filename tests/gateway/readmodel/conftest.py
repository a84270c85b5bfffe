"""A read model over each of the two databases, and records to fill it with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from maie_gateway.readmodel import ReadModel, open_read_model
from tests.gateway.readmodel.postgres import postgres_server


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL database for all tests of this run."""
    with postgres_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database; what an earlier test left in it is gone once `model` is made."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/readmodel.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def model(database_url: str) -> AsyncIterator[ReadModel]:
    """An empty read model."""
    async with open_read_model(database_url) as opened:
        await opened.clear()
        yield opened
