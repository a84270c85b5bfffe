"""A config that is known only at the end of an upload counts, and is checked like the first."""

from __future__ import annotations

import hashlib

import grpc
import pytest

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import job_pb2_grpc
from maie_client import Client
from tests.gateway.conftest import EmptyMesh
from tests.sending import answer_to

pytestmark = pytest.mark.mesh

FIRST = job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT], request_id="r1")
LAST = job.JobConfig(
    features=[job.FEATURE_CLEAN_TRANSCRIPT, job.FEATURE_SUMMARY],
    template_id="meeting_notes_v1",
    request_id="r1",
    display_name="Late",
)


async def _submit(address: str, last: job.JobConfig | None) -> job.Job:
    finish = job.UploadFinish(size_bytes=3, sha256=hashlib.sha256(b"abc").hexdigest(), config=last)
    parts = ({"config": FIRST}, {"audio": b"abc"}, {"finish": finish})
    requests = [job.CreateJobRequest(upload=job.UploadPart(**part)) for part in parts]
    async with grpc.aio.insecure_channel(address) as channel:
        call = job_pb2_grpc.JobServiceStub(channel).CreateJob()
        return (await answer_to(call, requests)).job


async def test_the_last_config_counts(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client:
        made = await _submit(client.address, LAST)
        async for _ in client.watch_job(made.job_id):
            pass
        done = await client.get_job(made.job_id)
        assert done.config.features == LAST.features
        assert done.display_name == "Late"
        assert done.results.HasField("summary")
        again = await _submit(client.address, LAST)
        assert again.job_id == made.job_id
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await _submit(client.address, None)
        assert "REQUEST_ID_REUSED" in str(refused.value.trailing_metadata())


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (job.JobConfig(request_id="r2", features=FIRST.features), "UPLOAD_OUT_OF_ORDER"),
        (job.JobConfig(request_id="r1"), "TEMPLATE_REQUIRED"),
        (job.JobConfig(request_id="r1", template_id="none_v1"), "TEMPLATE_NOT_FOUND"),
        (
            job.JobConfig(request_id="r1", features=FIRST.features, labels={"A B": "c"}),
            "LABELS_INVALID",
        ),
    ],
)
async def test_a_last_config_that_is_wrong_leaves_nothing(
    empty_mesh: EmptyMesh, last: job.JobConfig, reason: str
) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await _submit(address, last)
        assert reason in str(refused.value.trailing_metadata())
        assert [each async for each in client.list_jobs()] == []
        assert (await _submit(address, LAST)).display_name == "Late"
