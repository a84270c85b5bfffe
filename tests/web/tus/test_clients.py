"""The clients of tus for JavaScript and Python run unchanged, through cuts and deaths."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from tusclient.client import TusClient

from maie_client import Client, ClientError
from maie_client.health import health_of
from tests.conftest import free_port
from tests.gateway.conftest import EmptyMesh
from tests.gateway.uploads.conftest import AUDIO, audio_of
from tests.waiting import PATIENCE_SECONDS
from tests.web.conftest import Web, web_before
from tests.web.gateways import killed_gateway
from tests.web.tus.conftest import RAW, node

pytestmark = pytest.mark.mesh

VERSION = {"tus-resumable": "1.0.0"}
CHUNK_BYTES = 100_000


async def job_of(url: str) -> str:
    """The job of an upload; empty where it is none."""
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.head(url, headers=VERSION)).headers.get("maie-job-id", "")


@pytest.mark.parametrize("options", [{}, {"chunkSize": CHUNK_BYTES}])
async def test_javascript_uploads(web: Web, file: Path, options: dict[str, int]) -> None:
    done = await node(web.url, file, **options)
    made = await web.grpc.get_job(done["job"])
    assert made.config.filename == "küche.wav"
    assert await audio_of(web.grpc, done["job"]) == AUDIO


async def test_javascript_goes_on_where_it_was_paused_at_another_web_part(
    web: Web, file: Path
) -> None:
    paused = await node(web.url, file, chunkSize=CHUNK_BYTES, pauseAt=3 * CHUNK_BYTES)
    assert not await job_of(paused["url"])
    async with web_before(web.grpc) as other:
        done = await node(other.url, file, url=paused["url"].replace(web.url, other.url))
    assert await audio_of(web.grpc, done["job"]) == AUDIO


async def test_two_javascript_clients_of_one_upload_make_one_job(web: Web, file: Path) -> None:
    paused = await node(web.url, file, chunkSize=CHUNK_BYTES, pauseAt=CHUNK_BYTES)
    both = [node(web.url, file, url=paused["url"], chunkSize=CHUNK_BYTES) for _ in range(2)]
    done = await asyncio.gather(*both)
    job_id = await job_of(paused["url"])
    assert {each.get("job") for each in done} == {job_id}
    assert await audio_of(web.grpc, job_id) == AUDIO


async def test_javascript_shows_why_it_is_refused(web: Web, file: Path) -> None:
    refused = await node(web.url, file, metadata={"features": "summary"})
    assert refused["status"] == 400
    assert "TEMPLATE_REQUIRED" in refused["error"]


async def test_python_uploads_and_goes_on_from_its_url(web: Web, file: Path) -> None:
    tus = TusClient(f"{web.url}/v1/uploads")

    def part() -> str:
        # tuspy leaves the files open that it opens itself.
        with file.open("rb") as stream:
            uploader = tus.uploader(file_stream=stream, chunk_size=CHUNK_BYTES, metadata=RAW)
            for _ in range(3):
                uploader.upload_chunk()
            assert uploader.offset == 3 * CHUNK_BYTES
            return str(uploader.url)

    def rest(url: str) -> None:
        with file.open("rb") as stream:
            tus.uploader(
                file_stream=stream, url=url, chunk_size=CHUNK_BYTES, upload_checksum=True
            ).upload()

    url = await asyncio.to_thread(part)
    assert not await job_of(url)
    await asyncio.to_thread(rest, url)
    assert await audio_of(web.grpc, await job_of(url)) == AUDIO


@pytest.mark.parametrize("fault", ["upload.before_commit", "upload.after_job"])
async def test_javascript_goes_on_after_a_gateway_that_died(
    empty_mesh: EmptyMesh, file: Path, fault: str
) -> None:
    address = f"127.0.0.1:{free_port()}"
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(Client(address))
        web = await stack.enter_async_context(web_before(client))
        async with killed_gateway(empty_mesh, address, MAIE_FAULT=f"{fault}:kill"):
            # Where HEAD fails, this client begins another upload; the key keeps it one job.
            sending = node(web.url, file, headers={"Idempotency-Key": "monday"})
            running = asyncio.create_task(sending)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await health_of(address):
                    await asyncio.sleep(0.05)
        async with killed_gateway(empty_mesh, address):
            done = await running
            assert await audio_of(client, done["job"]) == AUDIO
            assert len([each async for each in client.list_jobs()]) == 1


async def test_the_python_client_goes_on_after_a_gateway_that_died(
    empty_mesh: EmptyMesh, file: Path
) -> None:
    address = f"127.0.0.1:{free_port()}"
    async with Client(address) as client:
        async with killed_gateway(empty_mesh, address, MAIE_FAULT="upload.before_commit:kill"):
            sending = asyncio.create_task(
                client.uploads.send(file, features=["raw_transcript"], display_name="Küche")
            )
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await health_of(address):
                    await asyncio.sleep(0.05)
        async with killed_gateway(empty_mesh, address):
            made = await sending
            assert (made.display_name, made.config.filename) == ("Küche", "küche.wav")
            assert await audio_of(client, made.job_id) == AUDIO
            with pytest.raises(ClientError) as gone:
                await client.uploads.resume("none", file)
            assert gone.value.reason == "UPLOAD_NOT_FOUND"
