"""A server waits for its callers only so long: for their requests, and until they read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from maie.job.v1 import job_pb2
from maie_runtime.rpc.messages import Patience
from maie_runtime.rpc.server import GrpcServer
from tests.runtime.callers.asking import READ
from tests.waiting import PATIENCE_SECONDS, until

SERVICE = job_pb2.DESCRIPTOR.services_by_name["JobService"].full_name
DOWNLOAD = f"/{SERVICE}/GetAudio"
PIECE_BYTES = 16 * 1024
# What a client takes that does not read, and a piece: HTTP/2's window, which gRPC would widen.
WINDOW_BYTES = 64 * 1024
UNREAD = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", WINDOW_BYTES))
STALLED = ("DEADLINE_EXCEEDED", "CALLER_STALLED")


class Downloads:
    """Streams without an end, and what became of them."""

    def __init__(self) -> None:
        self.written = 0
        self.running = 0
        self.asked = 0

    async def pieces(self, _request: Any, _context: Any) -> AsyncIterator[bytes]:
        """Pieces for ever."""
        self.running += 1
        try:
            while True:
                self.written += 1
                yield b"x" * PIECE_BYTES
        finally:
            self.running -= 1

    async def once(self, request: Any, _context: Any) -> bytes:
        """One large answer; large enough that it needs a reader."""
        self.asked += 1
        return b"x" * PIECE_BYTES * 16 if request == b"large" else b"small"


@asynccontextmanager
async def serving(downloads: Downloads, **patience: Any) -> AsyncIterator[Any]:
    """A server that waits so long; gives a channel whose calls take and give bytes."""
    server = GrpcServer("127.0.0.1:0", (SERVICE,), patience=Patience(**patience))
    handlers = {
        "GetAudio": grpc.unary_stream_rpc_method_handler(downloads.pieces, bytes, bytes),
        "GetJob": grpc.unary_unary_rpc_method_handler(downloads.once, bytes, bytes),
    }
    server.server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, handlers),)
    )
    await server.start()
    try:
        async with grpc.aio.insecure_channel(server.address, UNREAD) as channel:
            yield channel
    finally:
        await server.stop(0)


def calls() -> list[str]:
    """The calls that servers of this process serve now."""
    names = [task.get_name() for task in asyncio.all_tasks()]
    return [name for name in names if name.startswith("HandleExceptions")]


async def end_of(call: Any) -> tuple[str, str]:
    """Reads a call to its end, which is an error: its status and reason."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await call.read() is not grpc.aio.EOF:
                pass
    status: Any = rpc_status.from_call(error.value)  # type: ignore[arg-type]
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)
    return error.value.code().name, info.reason


async def test_a_stream_that_is_not_read_ends_and_its_reader_gets_to_know() -> None:
    downloads = Downloads()
    async with serving(downloads, unread_seconds=1.0) as channel:
        call = channel.unary_stream(DOWNLOAD)(b"")
        assert await call.read()
        await until(lambda: not downloads.running)
        # Nothing is made ahead of the reader but a window or two, and of gRPC a piece or two.
        assert downloads.written <= 2 * WINDOW_BYTES // PIECE_BYTES + 2
        assert await end_of(call) == STALLED
        await until(lambda: not calls())


async def test_a_reader_that_is_slow_and_reads_on_is_served() -> None:
    downloads = Downloads()
    async with serving(downloads, unread_seconds=3.0) as channel:
        call = channel.unary_stream(DOWNLOAD)(b"")
        loop = asyncio.get_running_loop()
        began = loop.time()
        while loop.time() < began + 7.0:
            assert await call.read()
            await asyncio.sleep(0.2)
        assert downloads.running
        call.cancel()
        await until(lambda: not downloads.running)


async def test_a_large_response_may_take_longer() -> None:
    patience = Patience(unread_seconds=2.0, min_bytes_per_second=1000)
    assert patience.seconds_for(0) == 2.0
    assert patience.seconds_for(500_000) == 502.0
    assert Patience().seconds_for(500_000) is None


async def test_a_single_response_that_is_not_read_ends_its_call_too() -> None:
    downloads = Downloads()
    async with serving(downloads, unread_seconds=1.0, min_bytes_per_second=10**9) as channel:
        # As a stream, since gRPC's client reads the response of any other call.
        call = channel.unary_stream(READ)(b"large")
        await until(lambda: downloads.asked)
        await until(lambda: calls())
        await asyncio.sleep(1.5)
        assert await end_of(call) == STALLED
        assert await channel.unary_unary(READ)(b"") == b"small"


async def test_nothing_is_left_of_a_call_whose_reader_leaves_without_reading(
    caplog: pytest.LogCaptureFixture,
) -> None:
    downloads = Downloads()
    async with serving(downloads, unread_seconds=0.3) as channel:
        for _ in range(5):
            call = channel.unary_stream(DOWNLOAD)(b"")
            assert await call.read()
        await until(lambda: not downloads.running)
        assert len(calls()) == 5
        await channel.close()
        await until(lambda: not calls())
    assert not caplog.records


async def test_a_request_that_does_not_come_in_time_ends_its_call() -> None:
    downloads = Downloads()
    async with serving(downloads, request_seconds=0.5) as channel:
        call = channel.stream_stream(READ)(silent())
        assert await end_of(call) == ("DEADLINE_EXCEEDED", "REQUEST_LATE")
        await until(lambda: not calls())
        assert not downloads.asked


async def test_a_call_without_its_request_is_none() -> None:
    downloads = Downloads()
    async with serving(downloads) as channel:
        call = channel.stream_stream(READ)(nothing())
        assert await end_of(call) == ("INVALID_ARGUMENT", "REQUEST_UNREADABLE")
        assert not downloads.asked


async def silent() -> AsyncIterator[bytes]:
    """Sends nothing, for ever."""
    await asyncio.Event().wait()
    yield b""


async def nothing() -> AsyncIterator[bytes]:
    """Sends nothing, and no more."""
    return
    yield b""
