"""The clients of tus for JavaScript and Python run unchanged, through cuts and deaths."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
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
from tests.web.tus.conftest import RAW, Node

pytestmark = pytest.mark.mesh

VERSION = {"tus-resumable": "1.0.0"}
CHUNK_BYTES = 100_000


async def job_of(url: str) -> str:
    """The job of an upload; empty where it is none."""
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.head(url, headers=VERSION)).headers.get("maie-job-id", "")


@pytest.mark.parametrize("options", [{}, {"chunkSize": CHUNK_BYTES}])
async def test_javascript_uploads(web: Web, file: Path, options: dict[str, int]) -> None:
    done = await Node(web.url, file, **options).run()
    made = await web.grpc.get_job(done["job"])
    assert made.config.filename == "küche.wav"
    assert await audio_of(web.grpc, done["job"]) == AUDIO


async def test_javascript_goes_on_where_it_was_paused_at_another_web_part(
    web: Web, file: Path
) -> None:
    paused = await Node(web.url, file, chunkSize=CHUNK_BYTES, pauseAt=3 * CHUNK_BYTES).run()
    assert not await job_of(paused["url"])
    async with web_before(web.grpc) as other:
        done = await Node(other.url, file, url=paused["url"].replace(web.url, other.url)).run()
    assert await audio_of(web.grpc, done["job"]) == AUDIO


async def test_two_javascript_clients_of_one_upload_make_one_job(web: Web, file: Path) -> None:
    paused = await Node(web.url, file, chunkSize=CHUNK_BYTES, pauseAt=CHUNK_BYTES).run()
    node = Node(web.url, file, url=paused["url"], chunkSize=CHUNK_BYTES)
    done = await asyncio.gather(node.run(), node.run())
    job_id = await job_of(paused["url"])
    assert {each.get("job") for each in done} == {job_id}
    assert await audio_of(web.grpc, job_id) == AUDIO


async def test_javascript_shows_why_it_is_refused(web: Web, file: Path) -> None:
    refused = await Node(web.url, file, metadata={"features": "summary"}).run()
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


@asynccontextmanager
async def killed_gateway(mesh: EmptyMesh, address: str, **variables: str) -> AsyncIterator[None]:
    """A gateway in a process of its own, which is killed at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "maie_gateway"),
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("MAIE_")},
            "MAIE_NATS_URL": mesh.mesh.nats_url,
            "MAIE_BLOB_URL": mesh.mesh.blob_url,
            "MAIE_GATEWAY_LISTEN": address,
            **variables,
        },
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await health_of(address):
                await asyncio.sleep(0.05)
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


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
            node = Node(web.url, file, headers={"Idempotency-Key": "monday"})
            running = asyncio.create_task(node.run())
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
