"""Streams whose client stops reading end, of every kind; a slow reader's do not."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import job_pb2_grpc
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import live_pb2_grpc
from maie_client import Client, ClientError
from maie_gateway.live.outbox import CROWDED, Outbox
from maie_gateway.live.session import LiveSession
from maie_gateway.rpc.progress import WatcherState
from tests.gateway.access.conftest import Guarded, eventually
from tests.gateway.limits.test_calls import limit
from tests.gateway.live.conftest import LiveMesh
from tests.gateway.live.conftest import live_mesh as live_mesh
from tests.gateway.live.conversation import config, reason_of, talking
from tests.gateway.live.speech import pieces, said
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

RAW = ("raw_transcript",)
# HTTP/2's window of a client that does not read; gRPC would widen it.
SMALL = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 512))
STALLED = ("DEADLINE_EXCEEDED", "CALLER_STALLED")


@asynccontextmanager
async def channel_of(address: str) -> AsyncIterator[grpc.aio.Channel]:
    """A connection on which little comes unread."""
    async with grpc.aio.insecure_channel(address, SMALL) as channel:
        yield channel


async def large() -> AsyncIterator[bytes]:
    """A recording of many messages."""
    for _ in range(64):
        yield b"x" * 64 * 1024


async def end_of(call: Any) -> tuple[str, str]:
    """Reads a call to its end: its status and reason."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await call.read() is not grpc.aio.EOF:
                pass
    except grpc.aio.AioRpcError as error:
        return error.code().name, reason_of(error)
    return "OK", ""


def alive(kind: type) -> list[Any]:
    """The objects of a class in this process."""
    gc.collect()
    return [each for each in gc.get_objects() if type(each) is kind]


def authorization(key: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {key}"),)


async def test_a_download_that_is_not_read_ends(guarded: Guarded) -> None:
    guarded.mesh.gateway_options |= {"unread_seconds": 1.0, "unread_min_bytes_per_second": 10**9}
    limit(guarded, streams=1, key_share=1)
    async with guarded.mesh.gateway() as address:
        made = await guarded.key(address, "acme")
        async with Client(address, token=made.api_key) as client:
            recorded = await client.create_job(large(), features=RAW)

            async def full() -> bool:
                try:
                    async for _ in client.get_audio(recorded.job_id):
                        return False
                except ClientError as error:
                    return error.limit in ("key_streams", "tenant_streams")
                return False

            async with channel_of(address) as channel:
                stub: Any = job_pb2_grpc.JobServiceStub(channel)
                request = job.GetAudioRequest(job_id=recorded.job_id)
                call = stub.GetAudio(request, metadata=authorization(made.api_key))
                assert (await call.read()).HasField("info")
                await asyncio.sleep(1.5)
                # It has its place until its client reads or leaves: a client cannot have more
                # unread responses than streams.
                assert await eventually(full)
                assert await end_of(call) == STALLED

                async def free() -> bool:
                    return not await full()

                assert await eventually(free)

                kept = []

                async def begins() -> bool:
                    # What `free` asked with may have its place for a moment longer.
                    try:
                        kept.append(stub.GetAudio(request, metadata=authorization(made.api_key)))
                        return bool((await kept[-1].read()).HasField("info"))
                    except grpc.aio.AioRpcError:
                        return False

                assert await eventually(begins)
                assert await eventually(full)
            # It left without reading.
            assert await eventually(free)


async def test_a_download_that_is_not_read_ends_with_its_key(guarded: Guarded) -> None:
    async with guarded.mesh.gateway() as address, guarded.admin(address) as admin:
        made = await guarded.key(address, "acme")
        async with Client(address, token=made.api_key) as client, channel_of(address) as channel:
            recorded = await client.create_job(large(), features=RAW)
            stub: Any = job_pb2_grpc.JobServiceStub(channel)
            request = job.GetAudioRequest(job_id=recorded.job_id)
            call = stub.GetAudio(request, metadata=authorization(made.api_key))
            assert (await call.read()).HasField("info")
            await admin.keys.revoke(made.key.key_id)
            assert await end_of(call) == ("UNAUTHENTICATED", "CREDENTIALS_INVALID")


async def test_a_watch_that_is_not_read_ends(guarded: Guarded) -> None:
    guarded.mesh.gateway_options |= {"unread_seconds": 1.0, "unread_min_bytes_per_second": 10**9}
    async with guarded.mesh.gateway() as address, channel_of(address) as channel:
        made = await guarded.key(address, "acme")
        async with Client(address, token=made.api_key) as client:
            watched = await client.create_job(large(), features=RAW)
            stub: Any = job_pb2_grpc.JobServiceStub(channel)
            request = job.WatchJobRequest(job_id=watched.job_id)
            call = stub.WatchJob(request, metadata=authorization(made.api_key))
            await until(lambda: len(alive(WatcherState)) == 1)
            # Its last event, which holds the job, is larger than what comes unread.
            await client.update_job(watched.job_id, labels={f"l{n}": "x" * 60 for n in range(16)})
            await client.cancel_job(watched.job_id)
            await until(lambda: not alive(WatcherState))
            assert await end_of(call) == STALLED


async def test_a_live_call_that_is_not_read_ends_and_its_session_goes_on(
    live_mesh: LiveMesh,
) -> None:
    live_mesh.empty.gateway_options |= {
        "unread_seconds": 1.0,
        "unread_min_bytes_per_second": 10**9,
    }
    async with live_mesh.running(heartbeat_seconds=0.1) as (address, _):
        async with channel_of(address) as channel:
            call: Any = live_pb2_grpc.LiveServiceStub(channel).Transcribe()
            await call.write(live.TranscribeRequest(start=live.StartSession(config=config())))
            started = (await call.read()).started
            for number, piece in enumerate(pieces(said([1])), 1):
                audio = live.TrackAudio(track="ann", sequence=number, content=piece)
                await call.write(live.TranscribeRequest(audio=audio))
            # Meanwhile few events wait.
            crowds = []
            while alive(LiveSession):
                crowds += [len(each._events) for each in alive(Outbox)]
                await call.write(live.TranscribeRequest(keep_alive=live.KeepAlive()))
                await asyncio.sleep(0.05)
            assert max(crowds) <= CROWDED + 2
            assert await end_of(call) == STALLED
        async with talking(address) as again:
            resumed = await again.resume(started)
            (track,) = resumed.tracks
            again.sent["ann"] = track.durable_sequence
            await again.audio("ann", b"".join([*pieces(said([1]))][track.durable_sequence :]))
            await again.audio("ann", said([2]))
            await again.end()
            assert again.finals() == ["ann:w1", "ann:w2"]


async def test_a_slow_reader_gets_the_whole_recording(guarded: Guarded) -> None:
    guarded.mesh.gateway_options |= {"unread_seconds": 3.0, "unread_min_bytes_per_second": 10**9}
    async with guarded.mesh.gateway() as address, channel_of(address) as channel:
        made = await guarded.key(address, "acme")
        async with Client(address, token=made.api_key) as client:
            recorded = await client.create_job(large(), features=RAW)
        stub: Any = job_pb2_grpc.JobServiceStub(channel)
        request = job.GetAudioRequest(job_id=recorded.job_id)
        call = stub.GetAudio(request, metadata=authorization(made.api_key))
        size = 0
        while (part := await call.read()) is not grpc.aio.EOF:
            size += len(part.audio)
            await asyncio.sleep(0.3)
        assert size == 64 * 64 * 1024
