"""One call of a live session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import grpc

from maie.live.v1 import live_pb2 as live
from maie_client.errors import client_errors
from maie_client.live.errors import GatewaySilentError, call_ended
from maie_client.live.outbox import Outbox
from maie_client.streams import received, stop, write

# Less than the silence after which a gateway ends a call (SESSION_IDLE).
KEEP_ALIVE_SECONDS = 5.0
# A gateway is frozen or cut off after so many of its heartbeats are missing.
MISSING_HEARTBEATS = 2.5
# How many looks there are in that time. Looks are counted, and not seconds: a client that was
# frozen itself reads first what came meanwhile.
LOOKS = 5

Responses = AsyncGenerator[live.TranscribeResponse, None]


async def converse(call: Any, address: str, start: live.StartSession, outbox: Outbox) -> Responses:
    """Sends what the outbox has, and yields what the gateway answers.

    Args:
        call: The open call.
        address: The gateway's address, for errors.
        start: The first message.
        outbox: What follows; rewound to where the session goes on.

    Raises:
        ClientError: The gateway's error, or UNAVAILABLE where the call ends
            before the session, or the gateway does not send what it promised.
    """
    begun = asyncio.Event()
    patience = 0.0
    sending = asyncio.create_task(_send(call, start, outbox, begun))
    try:
        with client_errors(address):
            while (answer := await received(_read(call, patience), sending)) is not grpc.aio.EOF:
                if answer.HasField("started"):
                    interval = answer.started.heartbeat_interval
                    patience = MISSING_HEARTBEATS * interval.ToTimedelta().total_seconds()
                    await outbox.rewind(answer.started.tracks)
                    begun.set()
                elif answer.HasField("acknowledged"):
                    if not answer.acknowledged.tracks:
                        continue  # only a heartbeat
                    await outbox.settle(answer.acknowledged.tracks)
                yield answer
        raise call_ended("The gateway ended the call before the session")
    finally:
        await stop(call, sending)


async def _read(call: Any, patience: float) -> Any:
    """The next answer, or EOF.

    Args:
        call: The call.
        patience: The longest wait in seconds; 0 for any time.

    Raises:
        GatewaySilentError: Nothing came in time.
    """
    if not patience:
        return await call.read()
    reading = asyncio.ensure_future(call.read())
    try:
        for _ in range(LOOKS):
            await asyncio.wait({reading}, timeout=patience / LOOKS)
            if reading.done():
                return reading.result()
        raise GatewaySilentError(patience)
    finally:
        if not reading.done():
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _send(call: Any, start: live.StartSession, outbox: Outbox, begun: asyncio.Event) -> None:
    """Sends until the end, and that it is there while it waits for the summary.

    Returns early if the call has ended: its status says why.
    """
    try:
        await call.wait_for_connection()
        await write(call, live.TranscribeRequest(start=start))
        await begun.wait()
        ended = False
        while not ended:
            message = await outbox.next(KEEP_ALIVE_SECONDS)
            await write(call, message or live.TranscribeRequest(keep_alive=live.KeepAlive()))
            ended = message is not None and message.HasField("end") and not start.await_summary
        await call.done_writing()
    except (grpc.aio.AioRpcError, grpc.aio.InternalError):
        return
    except BaseException:
        call.cancel()
        raise
