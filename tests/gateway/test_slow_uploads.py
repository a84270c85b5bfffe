"""Uploads that trickle or stand still end, and meanwhile keep nobody else out."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from maie_gateway.intake import pace
from maie_gateway.intake.admission import Admission, Upload
from maie_gateway.limits.callers import CallerLimits
from maie_gateway.limits.settings import LimitSettings
from maie_gateway.settings import GatewaySettings
from tests.gateway.conftest import EmptyMesh
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

NO_OTHERS = CallerLimits(LimitSettings())

RAW = ("raw_transcript",)


async def recording(size: int = 9) -> AsyncIterator[bytes]:
    """A recording that comes at once."""
    yield b"x" * size


async def trickle() -> AsyncIterator[bytes]:
    """A recording of a byte now and then, for ever."""
    while True:
        yield b"x"
        await asyncio.sleep(0.1)


async def stops(size: int = 100_000) -> AsyncIterator[bytes]:
    """A recording whose end never comes."""
    yield b"x" * size
    await asyncio.Event().wait()


async def steadily(pieces: int, size: int) -> AsyncIterator[bytes]:
    """A recording that comes slowly, and comes."""
    for _ in range(pieces):
        yield b"x" * size
        await asyncio.sleep(0.1)


async def moving(enough: asyncio.Event) -> AsyncIterator[bytes]:
    """A recording that comes until it is enough."""
    while not enough.is_set():
        yield b"x" * 10_000
        await asyncio.sleep(0.05)


class Uploads:
    """The uploads that have a place in the gateways of this process."""

    def __init__(self) -> None:
        self._admissions = [each for each in gc.get_objects() if type(each) is Admission]

    @property
    def under_way(self) -> list[Upload]:
        """All of them."""
        return [upload for each in self._admissions for upload in each._uploads]

    @property
    def stalled(self) -> bool:
        """Whether there are some, and none of them moves."""
        return bool(self.under_way) and all(upload.pace.stalled for upload in self.under_way)


async def ended(client: Client, source: AsyncIterator[bytes]) -> tuple[str, str]:
    """How an upload that is never complete ends."""
    with pytest.raises(ClientError) as refused:
        await client.create_job(source, features=RAW)
    return refused.value.code.name, refused.value.reason


@asynccontextmanager
async def uploading(
    client: Client, sources: list[AsyncIterator[bytes]]
) -> AsyncIterator[list[asyncio.Task[tuple[str, str]]]]:
    """Uploads that go on in the background, each begun."""
    tasks = [asyncio.create_task(ended(client, source)) for source in sources]
    try:
        uploads = Uploads()
        await until(lambda: len(uploads.under_way) >= sum(not task.done() for task in tasks))
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize(
    ("source", "options", "reason"),
    [
        (trickle, {"upload_idle_seconds": 1.5}, "UPLOAD_TOO_SLOW"),
        (stops, {"upload_idle_seconds": 0.6}, "UPLOAD_IDLE"),
        (
            trickle,
            {"upload_min_bytes_per_second": 0, "upload_max_seconds": 0.6},
            "UPLOAD_TOO_LONG",
        ),
    ],
)
async def test_an_upload_that_never_ends_is_ended(
    empty_mesh: EmptyMesh,
    source: Callable[[], AsyncIterator[bytes]],
    options: dict[str, object],
    reason: str,
) -> None:
    empty_mesh.gateway_options |= options
    async with empty_mesh.gateway() as address, Client(address) as client:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await ended(client, source()) == ("DEADLINE_EXCEEDED", reason)
        assert [j async for j in client.list_jobs()] == []


async def test_a_slow_upload_that_comes_is_taken_whole(empty_mesh: EmptyMesh) -> None:
    # 2000 bytes a second, over several windows.
    empty_mesh.gateway_options |= {"upload_idle_seconds": 1, "upload_min_bytes_per_second": 200}
    async with empty_mesh.gateway() as address, Client(address) as client:
        made = await client.create_job(steadily(25, 200), features=RAW)
        assert made.job_id


async def test_fifty_trickling_uploads_of_a_tenant_keep_nobody_out(
    empty_mesh: EmptyMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "TRICKLE_SECONDS", 0.3)
    monkeypatch.setattr(pace, "SILENCE_SECONDS", 0.3)
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(empty_mesh.gateway())
        slow = await stack.enter_async_context(Client(address, tenant="slow"))
        other = await stack.enter_async_context(Client(address, tenant="other"))
        endless = [trickle() if number % 2 else stops() for number in range(50)]
        await stack.enter_async_context(uploading(slow, endless))
        uploads = Uploads()
        await until(lambda: uploads.stalled)
        for client in (other, slow):
            async with asyncio.timeout(PATIENCE_SECONDS):
                made = [await client.create_job(recording(), features=RAW) for _ in range(5)]
            assert len({job.job_id for job in made}) == 5


async def test_a_message_that_takes_seconds_over_a_slow_line_is_no_trickle(
    empty_mesh: EmptyMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "TRICKLE_SECONDS", 0.2)
    empty_mesh.gateway_options |= {"max_uploads_per_tenant": 1}
    arrived = asyncio.Event()

    async def in_large_parts() -> AsyncIterator[bytes]:
        yield b"x" * 100_000
        await arrived.wait()
        yield b"y" * 100_000

    async with empty_mesh.gateway() as address, Client(address) as client:
        slow = asyncio.create_task(client.create_job(in_large_parts(), features=RAW))
        uploads = Uploads()
        await until(lambda: uploads.under_way)
        await asyncio.sleep(0.7)
        assert await ended(client, recording()) == ("RESOURCE_EXHAUSTED", "UPLOADS_FULL")
        arrived.set()
        assert (await slow).job_id


async def test_uploads_that_move_hold_their_places(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options |= {"max_uploads": 4, "max_uploads_per_tenant": 2}
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(empty_mesh.gateway())
        ours = await stack.enter_async_context(Client(address, tenant="ours"))
        other = await stack.enter_async_context(Client(address, tenant="other"))
        endless = [moving(asyncio.Event()) for _ in range(2)]
        tasks = await stack.enter_async_context(uploading(ours, endless))
        assert await ended(ours, recording()) == ("RESOURCE_EXHAUSTED", "UPLOADS_FULL")
        assert (await other.create_job(recording(), features=RAW)).job_id
        assert not any(task.done() for task in tasks)


async def test_an_upload_that_moves_has_its_jobs_place(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options |= {"max_active_jobs": 2, "max_active_jobs_per_tenant": 2}
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(empty_mesh.gateway())
        client = await stack.enter_async_context(Client(address))
        enough = asyncio.Event()
        slow = asyncio.create_task(client.create_job(moving(enough), features=RAW))
        uploads = Uploads()
        await until(lambda: uploads.under_way)
        await client.create_job(recording(), features=RAW)
        assert await ended(client, recording()) == ("RESOURCE_EXHAUSTED", "QUEUE_FULL")
        enough.set()
        assert (await slow).job_id


async def test_jobs_that_overtook_a_stalled_upload_are_no_more_than_the_limit(
    empty_mesh: EmptyMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "TRICKLE_SECONDS", 0.2)
    empty_mesh.gateway_options["max_active_jobs"] = 1
    goes_on = asyncio.Event()

    async def pauses() -> AsyncIterator[bytes]:
        yield b"x"
        await goes_on.wait()
        yield b"y"

    async with empty_mesh.gateway() as address, Client(address) as client:
        late = asyncio.create_task(ended(client, pauses()))
        uploads = Uploads()
        await until(lambda: uploads.stalled)
        made = await client.create_job(recording(), features=RAW)
        goes_on.set()
        assert await late == ("RESOURCE_EXHAUSTED", "QUEUE_FULL")
        assert [shown.job_id async for shown in client.list_jobs()] == [made.job_id]


async def test_uploads_of_a_job_that_exists_are_bounded_too(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options |= {"max_uploads_per_tenant": 1}
    async with empty_mesh.gateway() as address, Client(address) as client:
        await client.create_job(recording(), features=RAW, request_id="monday")

        async def again(source: AsyncIterator[bytes]) -> job.Job:
            return await client.create_job(source, features=RAW, request_id="monday")

        slow = asyncio.create_task(again(moving(asyncio.Event())))
        uploads = Uploads()
        await until(lambda: uploads.under_way)
        with pytest.raises(ClientError, match="uploaded already"):
            await again(recording())
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)


def test_one_tenants_quota_is_below_the_whole_unless_a_person_says_otherwise() -> None:
    limits = GatewaySettings().admission_limits(NO_OTHERS)
    assert limits.jobs_per_tenant < limits.jobs
    assert limits.uploads_per_tenant < limits.uploads
    alone = GatewaySettings(max_active_jobs=200, max_active_jobs_per_tenant=200)
    assert alone.admission_limits(NO_OTHERS).jobs_per_tenant == 200
    assert GatewaySettings(max_active_jobs=1000).admission_limits(NO_OTHERS).jobs_per_tenant == 800
    assert GatewaySettings(max_active_jobs=1).admission_limits(NO_OTHERS).jobs_per_tenant == 1
