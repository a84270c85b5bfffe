"""A server whose answer is who called it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc

from maie_core.caller import current_caller
from maie_runtime.rpc.callers.authenticator import Authenticator
from maie_runtime.rpc.server import GrpcServer

SERVICE = "maie.job.v1.JobService"
READ = f"/{SERVICE}/GetJob"
SUBMIT = f"/{SERVICE}/CancelJob"
FOLLOW = f"/{SERVICE}/WatchJob"
UPLOAD = f"/{SERVICE}/CreateJob"
CONVERSE = f"/{SERVICE}/ProcessAudio"


async def whoami(_request: Any, _context: Any) -> bytes:
    return _who()


async def follow(_request: Any, _context: Any) -> AsyncIterator[bytes]:
    yield _who()
    yield _who()


def _who() -> bytes:
    caller = current_caller()
    return f"{caller.kind} {caller.id} {caller.tenant} {','.join(sorted(caller.scopes))}".encode()


HANDLERS = {
    "GetJob": grpc.unary_unary_rpc_method_handler(whoami, bytes, bytes),
    "CancelJob": grpc.unary_unary_rpc_method_handler(whoami, bytes, bytes),
    "WatchJob": grpc.unary_stream_rpc_method_handler(follow, bytes, bytes),
    "CreateJob": grpc.stream_unary_rpc_method_handler(whoami, bytes, bytes),
    "ProcessAudio": grpc.stream_stream_rpc_method_handler(follow, bytes, bytes),
    "Undeclared": grpc.unary_unary_rpc_method_handler(whoami, bytes, bytes),
}


@asynccontextmanager
async def asking(
    listen: str = "127.0.0.1:0", authenticators: Sequence[Authenticator] | None = None
) -> AsyncIterator[str]:
    """The server; gives its address."""
    server = GrpcServer(listen, (SERVICE,), authenticators=authenticators)
    server.server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, HANDLERS),)
    )
    await server.start()
    try:
        yield server.address
    finally:
        await server.stop(0)


@asynccontextmanager
async def channel_to(address: str) -> AsyncIterator[Any]:
    """A channel whose calls take and give bytes."""
    async with grpc.aio.insecure_channel(address) as channel:
        yield channel
