"""The read model on PostgreSQL in a container."""

from __future__ import annotations

import pytest

from maie.job.v1 import job_pb2 as job
from maie_gateway.readmodel import ReadModel, open_read_model
from tests.conftest import free_port
from tests.containers.conftest import Run
from tests.containers.engine import PROGRAMS, postgresql_image
from tests.gateway.readmodel.records import TENANT, job_record, put

pytestmark = pytest.mark.mesh

READY = "database system is ready to accept connections"
INITDB = f"{PROGRAMS}/initdb -D /data/db -U maie -A trust -E UTF8 --locale C"
SERVER = f"exec {PROGRAMS}/postgres -D /data/db -h 127.0.0.1 -k /tmp"


async def _names(model: ReadModel) -> list[str]:
    page = await model.list_page(TENANT, job.ListJobsRequest())
    return [each.display_name for each in page.jobs]


async def test_jobs_outlive_their_container(run: Run) -> None:
    port = free_port()
    command = [f"[ -d /data/db ] || {INITDB} && {SERVER} -p {port}"]
    url = f"postgresql://maie@127.0.0.1:{port}/postgres"
    with postgresql_image() as image:
        with run(image, command, READY):
            async with open_read_model(url) as model:
                await put(model, job_record(1), job_record(2))
        with run(image, command, READY):
            async with open_read_model(url) as model:
                assert await _names(model) == ["job 2", "job 1"]
