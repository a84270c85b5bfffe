"""Calls between processes of the mesh, with messages in both directions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from maie.asr.v1 import streaming_pb2 as streaming
from maie.asr.v1.streaming_pb2_grpc import StreamingAsrServiceStub
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_pipeline.bindings import BINDINGS
from maie_runtime.rpc.duplex import DuplexCall, Peer
from maie_runtime.rpc.server import GrpcServer
from maie_runtime.rpc.stream_mount import StreamMount

pytestmark = pytest.mark.unit

AUDIO = streaming.StreamingRecognizeRequest(audio=bytes(3200))
BUSY = StageError(
    Code.RESOURCE_EXHAUSTED, Reason.LIVE_BUSY, "No room.", retry_after=timedelta(seconds=7)
)
CALLS = 40


class RefusesAfter:
    """Refuses a call after some of its messages."""

    limit = 1
    tracks = 0

    def __init__(self, count: int) -> None:
        self._count = count

    async def answer(self, requests: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
        """Reads, and refuses."""
        for _ in range(self._count):
            await anext(requests)
        raise BUSY
        yield  # a generator, as every stream of answers is

    async def watch(self) -> None:
        """Is always well."""

    async def drain(self) -> None:
        """Has nothing to end."""


@asynccontextmanager
async def refusing(count: int) -> AsyncIterator[Peer[StreamingAsrServiceStub]]:
    """A peer that refuses each call after some messages."""
    binding = BINDINGS["asr"].stream
    assert binding is not None
    server = GrpcServer("127.0.0.1:0", (binding.service,))
    mount = StreamMount(server.server, binding)
    mount.serve(RefusesAfter(count))
    await server.start()
    peer = Peer(server.address, StreamingAsrServiceStub, "asr")
    try:
        yield peer
    finally:
        await peer.close()
        await server.stop(0)


async def write_on(call: DuplexCall[Any, Any]) -> None:
    """Writes as fast as it can, to the call's end."""
    while True:
        await call.write(AUDIO)


@pytest.mark.parametrize("messages", [0, 1, 30])
async def test_a_refusal_is_not_lost_while_the_caller_writes(messages: int) -> None:
    async with refusing(messages) as peer:
        for _ in range(CALLS):
            call = DuplexCall[Any, Any](peer.stub.StreamingRecognize(), Reason.LIVE_UNAVAILABLE)
            writing = asyncio.create_task(write_on(call))
            with pytest.raises(StageError) as read:
                await call.read()
            with pytest.raises(StageError) as written:
                await writing
            for error in (read.value, written.value):
                assert (error.code, error.reason) == (BUSY.code, BUSY.reason)
                assert error.retry_after == BUSY.retry_after
