"""A question to a server leaves nothing open, whenever it ends."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import psutil
import pytest

from maie_runtime.bus.broker import BROKER_ERRORS
from maie_runtime.bus.credentials import Credentials
from maie_runtime.bus.server_report import server_report
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.unit

GREETING = b'INFO {"server_id":"S","version":"2.15.1","max_payload":1048576,"headers":true}\r\n'


@pytest.mark.parametrize(
    "greeting", [b"", GREETING, GREETING + b"-ERR 'Authorization Violation'\r\n"]
)
@pytest.mark.parametrize("cancelled", [True, False])
async def test_a_question_that_ends_early_closes_its_connection(
    greeting: bytes, cancelled: bool
) -> None:
    came, ended = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        came.set()
        with suppress(OSError):
            while await reader.read(1024):
                pass
        ended.set()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        asking = asyncio.create_task(
            server_report(f"nats://127.0.0.1:{port}", Credentials(), "HEALTHZ", 1)
        )
        await came.wait()
        if cancelled:
            asking.cancel()
        with suppress(asyncio.CancelledError, *BROKER_ERRORS):
            await asking
        async with asyncio.timeout(PATIENCE_SECONDS):
            await ended.wait()
        own = psutil.Process()
        await until(
            lambda: not [c for c in own.net_connections() if c.raddr and c.raddr.port == port]
        )
