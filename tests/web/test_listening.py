"""What is written to a browser is sent at once, however small it is."""

from __future__ import annotations

import asyncio
import socket

import pytest

from maie_web.listening import listen


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
async def test_small_messages_do_not_wait_for_acknowledgements(host: str) -> None:
    if host == "[::1]" and not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    arrived: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = writer.get_extra_info("socket")
        arrived.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with listen(f"{host}:0") as listening:
        async with await asyncio.start_server(take, sock=listening):
            address = listening.getsockname()
            _, writer = await asyncio.open_connection(*address[:2])
            assert await arrived
            writer.close()
