"""The database comes and goes, and the gateway goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import create_engine, text

from maie.job.v1 import job_pb2 as job
from maie_core.errors import Code, StageError
from maie_gateway.readmodel import ReadModel, ReadModelSettings, job_entry, open_read_model
from tests.conftest import free_port
from tests.gateway.readmodel.records import TENANT, job_id, job_record, show

pytestmark = pytest.mark.unit


async def test_what_was_written_is_there_after_a_restart(
    model: ReadModel, database_url: str
) -> None:
    await show(model, job_record(1), 1)
    async with open_read_model(database_url) as again:
        assert await again.count() == 1


async def test_a_database_of_another_version_is_emptied(
    model: ReadModel, database_url: str
) -> None:
    await show(model, job_record(1), 1)
    url = database_url.replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE readmodel_version SET version = 0"))
        connection.execute(text("ALTER TABLE readmodel_jobs DROP COLUMN display_name"))
    engine.dispose()
    async with open_read_model(database_url) as again:
        assert await again.count() == 0
        assert await show(again, job_record(1), 1)


async def test_several_gateways_make_the_tables_at_once(
    model: ReadModel, database_url: str
) -> None:
    await show(model, job_record(1), 1)
    async with (
        open_read_model(database_url) as one,
        open_read_model(database_url) as other,
    ):
        assert await show(one, job_record(2), 2)
        assert await show(other, job_record(3), 3)
        assert not await show(other, job_record(2), 2)
        assert await one.count() == 3


async def test_gateways_that_write_the_same_jobs_do_not_hold_each_other_up(
    model: ReadModel, database_url: str
) -> None:
    entries = [job_entry(job_record(number, labels={"a": "b"}), 1) for number in range(100)]
    later = [job_entry(job_record(number), 2) for number in range(100)]
    async with open_read_model(database_url) as other:
        await asyncio.gather(
            *(gateway.apply_all(batch) for batch in (entries, later) for gateway in (model, other)),
            *(other.apply_all(reversed(batch)) for batch in (entries, later)),
            *(model.remove(job_id(number)) for number in range(0, 100, 10)),
        )
        await model.apply_all(later)
        assert await model.revisions() == {job_id(number): 2 for number in range(100)}


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
async def test_a_database_that_is_away_is_named_and_tried_again(
    backend: str, tmp_path: Path
) -> None:
    folder = tmp_path / "later"
    sqlite = f"sqlite:///{folder}/readmodel.db"
    nobody = f"postgresql://maie@127.0.0.1:{free_port()}/none"
    async with open_read_model(sqlite if backend == "sqlite" else nobody) as model:
        with pytest.raises(StageError) as away:
            await model.list_page(TENANT, job.ListJobsRequest())
        assert (away.value.code, away.value.reason) == (
            Code.UNAVAILABLE,
            "READ_MODEL_UNAVAILABLE",
        )
        assert away.value.retry_after is not None
        if backend == "sqlite":
            folder.mkdir()
            assert await model.count() == 0


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/name", "sqlite:"])
def test_a_url_of_no_database_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        ReadModelSettings(url=url)


async def test_no_secret_reaches_the_database(model: ReadModel) -> None:
    made = job_record(1)
    made.config.webhooks.add(url="https://example.org", secret="very-secret")
    await show(model, made, 1)
    (shown,) = (await model.list_page(TENANT, job.ListJobsRequest())).jobs
    assert shown.config.webhooks[0].url == "https://example.org"
    assert "very-secret" not in str(shown)
