"""Requests that are too many, too large, too slow, or name what no honest client names."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import grpc
import psutil
import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import ClientError
from maie_client.errors import decode
from maie_client.live import ResumePoint, linear16
from maie_gateway.limits.settings import LimitSettings
from tests.attacks.conftest import (
    FLOOD,
    MAX_UPLOAD_BYTES,
    RAW,
    UPLOAD_SECONDS,
    Besieged,
    Came,
    answer,
    answers,
    run_job,
)
from tests.gateway.access.conftest import USER
from tests.gateway.readmodel.test_bounds import MANY_LABELS
from tests.sending import answer_to

pytestmark = pytest.mark.mesh

MEBIBYTE = 1 << 20
# Far more than the tenant may send, and fewer than one connection carries at a time.
FLOOD_CALLS = 600
WATCHES = 200
SECRET = "a secret of a webhook, long enough"
ODD = ("../../etc/passwd", "a\0b", "two\nlines", "a.b", "*", ">", "maie.task.>", "x" * 5000)
CALLS_BY_ID = ("GetJob", "CancelJob", "DeleteJob", "GetTimeline", "RetryJob", "WatchJob")
# In names that people give, which are in no subject and no path, these are harmless.
FREE_TEXT = ("../../etc/passwd", "a.b", "*", ">", "maie.task.>")


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


async def endless(size: int = MEBIBYTE, pause: float = 0.0) -> AsyncIterator[bytes]:
    while True:
        yield b"x" * size
        await asyncio.sleep(pause)


async def stops() -> AsyncIterator[bytes]:
    yield b"x" * 5000
    await asyncio.Event().wait()


@pytest.mark.attack(5)
async def test_what_is_too_large_is_refused_and_memory_stays_flat(
    mesh: Besieged, came: Came
) -> None:
    gateway = psutil.Process(mesh.pids["gateway"])
    before = gateway.memory_info().rss
    async with mesh.client(mesh.ours) as client, grpc.aio.insecure_channel(mesh.gateway) as channel:
        with pytest.raises(ClientError) as refused:
            await client.create_job(endless(), features=RAW)
        assert str(MAX_UPLOAD_BYTES) in refused.value.message
        upload = f"{refused.value.code.name} {refused.value.reason}"
        call: Any = channel.stream_unary("/maie.job.v1.JobService/CreateJob")
        # gRPC itself refuses what is larger than any message of the contract, by its stated size.
        with pytest.raises(grpc.aio.AioRpcError) as whole:
            await answer_to(call(metadata=bearer(mesh.ours)), [b"x" * 80 * MEBIBYTE])
    grown = (gateway.memory_info().rss - before) // MEBIBYTE
    came(f"{upload}; {whole.value.code().name} {whole.value.details()}; grown by {grown} MiB")
    assert upload == "RESOURCE_EXHAUSTED UPLOAD_TOO_LARGE"
    assert whole.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert re.search(r"larger than max \(\d+ vs\. \d+\)", whole.value.details() or "")
    # Neither the endless upload nor the message is kept: each alone is more than this.
    assert grown < MAX_UPLOAD_BYTES // MEBIBYTE


@pytest.mark.attack(6)
async def test_a_flood_of_calls_is_sent_away_and_others_come_in(mesh: Besieged, came: Came) -> None:
    async with mesh.client(mesh.bootstrap) as admin:
        key = await admin.keys.create(scopes=USER, tenant=FLOOD)
    async with mesh.client(key.api_key) as flood, mesh.client(mesh.theirs) as theirs:

        async def call() -> str:
            try:
                await flood.list_templates()
            except ClientError as error:
                hint = ", with when to try again" if error.retry_after is not None else ""
                return f"{error.code.name} {error.reason} {error.limit}{hint}"
            return "OK"

        calls = [asyncio.create_task(call()) for _ in range(FLOOD_CALLS)]
        polite = await answer(theirs.list_jobs())
        found = set(await asyncio.gather(*calls)) - {"OK"}
    came("; ".join(found))
    assert polite == "OK"
    assert found == {"RESOURCE_EXHAUSTED RATE_LIMITED key_requests, with when to try again"}


@pytest.mark.attack(6)
async def test_many_streams_are_sent_away_and_others_come_in(mesh: Besieged, came: Came) -> None:
    async with mesh.client(mesh.bootstrap) as admin:
        key = await admin.keys.create(scopes=USER, tenant="streams")
    async with (
        mesh.client(key.api_key) as many,
        mesh.client(mesh.theirs) as theirs,
        # A job that does not end while it is watched.
        many.live(features=RAW, format=linear16(16_000)) as session,
        grpc.aio.insecure_channel(mesh.gateway) as channel,
    ):
        watch: Any = channel.unary_stream("/maie.job.v1.JobService/WatchJob")
        request = job.WatchJobRequest(job_id=session.resume_point.session_id).SerializeToString()
        calls = [watch(request, metadata=bearer(key.api_key)) for _ in range(WATCHES)]
        found = Counter(await asyncio.gather(*map(first_answer, calls)))
        polite = await run_job(theirs, mesh.recording)
        for call in calls:
            call.cancel()
    came("; ".join(found))
    assert polite.state == job.JOB_STATE_COMPLETE
    refused = "RESOURCE_EXHAUSTED STREAMS_FULL key_watches, with when to try again"
    limits = LimitSettings()
    allowed = int(limits.watches * limits.key_share)
    assert found == {"OK": allowed, refused: WATCHES - allowed}


async def first_answer(call: Any) -> str:
    """Whether a stream begins, or how it is refused."""
    try:
        await call.read()
    except grpc.aio.AioRpcError as error:
        told = decode(error, "")
        hint = ", with when to try again" if told.retry_after is not None else ""
        return f"{told.code.name} {told.reason} {told.limit}{hint}"
    return "OK"


@pytest.mark.attack(6)
async def test_a_flood_is_sent_away_and_others_come_in(mesh: Besieged, came: Came) -> None:
    async with mesh.client(mesh.ours) as ours, mesh.client(mesh.theirs) as theirs:

        async def upload() -> str:
            try:
                await ours.create_job(endless(20_000, 0.5), features=RAW)
            except ClientError as error:
                hint = ", with when to try again" if error.retry_after is not None else ""
                return f"{error.code.name} {error.reason}{hint}"
            return "OK"

        flood = [asyncio.create_task(upload()) for _ in range(80)]
        done, _ = await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
        polite = await run_job(theirs, mesh.recording)
        first = {each.result() for each in done}
        for each in flood:
            each.cancel()
        await asyncio.gather(*flood, return_exceptions=True)
        trickle = await answer(ours.create_job(endless(1, 0.5), features=RAW))
    came(f"{' '.join(first)}; {trickle}")
    assert polite.state == job.JOB_STATE_COMPLETE
    assert first == {"RESOURCE_EXHAUSTED UPLOADS_FULL, with when to try again"}
    assert trickle.startswith("DEADLINE_EXCEEDED")


@pytest.mark.attack(18)
async def test_slow_uploads_end_and_keep_nobody_out(mesh: Besieged, came: Came) -> None:
    async with mesh.client(mesh.slow) as slow, mesh.client(mesh.theirs) as theirs:

        async def upload(source: AsyncIterator[bytes]) -> str:
            return await answer(slow.create_job(source, features=RAW))

        trickling = [asyncio.create_task(upload(endless(1, 2))) for _ in range(50)]
        stopping = [asyncio.create_task(upload(stops())) for _ in range(60)]
        polite = 0
        while not all(each.done() for each in (*trickling, *stopping)):
            assert (await run_job(theirs, mesh.recording)).state == job.JOB_STATE_COMPLETE
            polite += 1
        found = {each.result() for each in trickling}, {each.result() for each in stopping}
    came(f"{' / '.join(sorted(found[0] | found[1]))}; meanwhile {polite} other jobs ran")
    assert found == (
        {"DEADLINE_EXCEEDED UPLOAD_TOO_SLOW"},
        {"DEADLINE_EXCEEDED UPLOAD_IDLE"},
    )


@pytest.mark.attack(18)
async def test_no_upload_lasts_longer_than_the_total_time(mesh: Besieged, came: Came) -> None:
    async with mesh.client(mesh.slow) as slow:
        found = await answer(slow.create_job(endless(2000, 0.2), features=RAW))
    came(f"{found} after {UPLOAD_SECONDS} s")
    assert found == "DEADLINE_EXCEEDED UPLOAD_TOO_LONG"


@pytest.mark.attack(10)
async def test_no_webhook_leads_inside(mesh: Besieged, came: Came) -> None:
    urls = (
        *("http://127.0.0.1/", "http://localhost:4222/", "http://[::1]/", "http://0x7f.1/"),
        *("http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "http://192.168.1.1/"),
        *("http://[::ffff:127.0.0.1]/", "file:///etc/passwd", "ftp://example.com/", "http://0/"),
    )
    async with mesh.client(mesh.ours) as client:
        found = await answers(
            [
                client.create_job(
                    mesh.recording, features=RAW, webhooks=[job.Webhook(url=url, secret=SECRET)]
                )
                for url in urls
            ]
        )
    came(" ".join(found))
    assert found == {"INVALID_ARGUMENT URI_NOT_ALLOWED"}


@pytest.mark.attack(11)
async def test_odd_names_are_refused_by_the_gateway(mesh: Besieged, came: Came) -> None:
    found, nobodys = {}, {}
    async with (
        mesh.client(mesh.bootstrap) as admin,
        grpc.aio.insecure_channel(mesh.gateway) as channel,
    ):
        for name in CALLS_BY_ID:
            kind = getattr(job, f"{name}Request")
            shape = channel.unary_stream if name == "WatchJob" else channel.unary_unary
            call: Any = shape(f"/maie.job.v1.JobService/{name}")
            for odd in ODD:
                request = kind(job_id=odd).SerializeToString()
                found[name, odd] = await answer(call(request, metadata=bearer(mesh.ours)))
        submit: Any = channel.stream_unary("/maie.job.v1.JobService/CreateJob")
        for odd in ODD:
            config = {"features": [job.FEATURE_SUMMARY]}
            fields: list[dict[str, Any]] = [{"template_id": odd}, {"labels": {odd: "value"}}]
            if odd not in FREE_TEXT:
                fields += [{name: odd} for name in ("request_id", "display_name", "filename")]
                fields += [{"labels": {"key": odd}}]
            for each in fields:
                made = job.JobConfig(**config, **each)  # type: ignore[arg-type]
                part = job.CreateJobRequest(upload=job.UploadPart(config=made))
                asked = submit(iter([part.SerializeToString()]), metadata=bearer(mesh.ours))
                found[str(each)[:40], odd] = await answer(asked)
            found["tenant", odd] = await answer(admin.keys.create(scopes=USER, tenant=odd))
            nobodys["key", odd] = await answer(admin.keys.revoke(odd))
            point = ResumePoint(session_id=odd, resume_token="x")
            nobodys["session", odd] = await answer(admin.get_session(point))
    came(f"INVALID_ARGUMENT, {len(found)} of {len(found)}; keys and sessions NOT_FOUND")
    assert {each.split()[0] for each in found.values()} == {"INVALID_ARGUMENT"}, found
    # Ids that callers never make up: what cannot be one looks like one that nobody has.
    assert {each.split()[0] for each in nobodys.values()} == {"NOT_FOUND"}, nobodys


TOO_MUCH = (
    ("ListJobs", job.ListJobsRequest(labels={f"k{i}": "v" for i in range(100_000)})),
    ("ListJobs", job.ListJobsRequest(labels=MANY_LABELS)),
    ("ListJobs", job.ListJobsRequest(states=[job.JOB_STATE_COMPLETE] * 10_000)),
    ("ListJobs", job.ListJobsRequest(page_token="forged")),
    ("SearchJobs", job.SearchJobsRequest(query="w" * 1_000_000)),
    ("SearchJobs", job.SearchJobsRequest(query="word", page_token="forged")),
)
ROUNDS = 10
# Of the gateway's processor time, which does not depend on what else the machine does.
MAX_SECONDS_EACH = 0.05


@pytest.mark.attack(16)
async def test_a_list_of_too_much_is_refused_and_others_are_served(
    mesh: Besieged, came: Came
) -> None:
    gateway = psutil.Process(mesh.pids["gateway"])
    contents = [(name, request.SerializeToString()) for name, request in TOO_MUCH]
    async with (
        mesh.client(mesh.theirs) as other,
        grpc.aio.insecure_channel(mesh.gateway) as channel,
    ):

        async def ask(name: str, content: bytes) -> str:
            call: Any = channel.unary_unary(f"/maie.job.v1.JobService/{name}")
            return await answer(call(content, metadata=bearer(mesh.ours)))

        before = processor_seconds(gateway)
        found = {await ask(*each) for _ in range(ROUNDS) for each in contents}
        cost = (processor_seconds(gateway) - before) / (ROUNDS * len(contents))
        asking = [asyncio.create_task(ask(*each)) for _ in range(ROUNDS) for each in contents]
        served = []
        while not all(task.done() for task in asking):
            served.append(await answer(other.list_jobs()))
        found |= set(await asyncio.gather(*asking))
    came(
        f"{', '.join(sorted(found))}; {1000 * cost:.0f} ms of processor time each; "
        f"{len(served)} lists of another tenant meanwhile"
    )
    assert {each.split()[0] for each in found} == {"INVALID_ARGUMENT"}
    assert cost < MAX_SECONDS_EACH
    assert served
    assert set(served) == {"OK"}


def processor_seconds(process: psutil.Process) -> float:
    """The processor time that a process has used."""
    used = process.cpu_times()
    return float(used.user + used.system)
