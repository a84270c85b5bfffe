"""A server's connections: how many, for how long, and how many calls one carries."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
import pytest

from maie.job.v1 import job_pb2
from maie_runtime.rpc.server import CALLS_OF_A_CONNECTION, Connections, GrpcServer
from tests.runtime.callers.asking import READ
from tests.waiting import PATIENCE_SECONDS, until

SERVICE = job_pb2.DESCRIPTOR.services_by_name["JobService"].full_name

Handler = Callable[[Any, Any], Awaitable[bytes]]


class Calls:
    """Calls that are answered when a test says so."""

    def __init__(self) -> None:
        self.running = 0
        self.answers = asyncio.Event()

    async def answer(self, _request: Any, _context: Any) -> bytes:
        self.running += 1
        try:
            await self.answers.wait()
        finally:
            self.running -= 1
        return b"answer"


@asynccontextmanager
async def serving(answer: Handler, connections: Connections) -> AsyncIterator[str]:
    """A server; gives its address."""
    server = GrpcServer("127.0.0.1:0", (SERVICE,), connections=connections)
    handler = grpc.unary_unary_rpc_method_handler(answer, bytes, bytes)
    server.server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, {"GetJob": handler}),)
    )
    await server.start()
    try:
        yield server.address
    finally:
        await server.stop(0)


def channel_to(address: str) -> grpc.aio.Channel:
    """A connection of its own."""
    return grpc.aio.insecure_channel(address, (("grpc.use_local_subchannel_pool", 1),))


async def call(channel: grpc.aio.Channel) -> grpc.StatusCode:
    """How a call ends."""
    try:
        method: Any = channel.unary_unary(READ)
        await method(b"", timeout=PATIENCE_SECONDS)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def test_connections_over_the_limit_are_closed_and_others_go_on() -> None:
    calls = Calls()
    calls.answers.set()
    async with serving(calls.answer, Connections(most=3)) as address, AsyncExitStack() as stack:
        channels = [await stack.enter_async_context(channel_to(address)) for _ in range(4)]
        for channel in channels[:3]:
            assert await call(channel) is grpc.StatusCode.OK
        assert await call(channels[3]) is grpc.StatusCode.UNAVAILABLE
        for channel in channels[:3]:
            assert await call(channel) is grpc.StatusCode.OK
        # One that leaves makes room.
        await channels[0].close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await call(channels[3]) is not grpc.StatusCode.OK:
                await asyncio.sleep(0.1)


async def test_a_connection_without_calls_is_closed_and_one_with_a_call_is_not() -> None:
    calls = Calls()
    async with (
        serving(calls.answer, Connections(idle_seconds=0.5)) as address,
        channel_to(address) as idle,
        channel_to(address) as busy,
    ):
        await idle.channel_ready()
        running = asyncio.create_task(call(busy))
        await until(lambda: calls.running)
        await until(lambda: idle.get_state() is not grpc.ChannelConnectivity.READY)
        await asyncio.sleep(2.0)
        calls.answers.set()
        assert await running is grpc.StatusCode.OK
        # The client connects again by itself.
        assert await call(idle) is grpc.StatusCode.OK


async def test_clients_connect_again_after_a_while_and_no_call_fails_by_it() -> None:
    calls, quick = Calls(), Calls()
    quick.answers.set()
    peers = set()

    async def answer(request: bytes, context: Any) -> bytes:
        if request == b"long":
            return await calls.answer(request, context)
        peers.add(context.peer())
        return await quick.answer(request, context)

    async with (
        serving(answer, Connections(age_seconds=0.3)) as address,
        channel_to(address) as channel,
    ):
        method: Any = channel.unary_unary(READ)
        long = method(b"long", timeout=PATIENCE_SECONDS)
        await until(lambda: calls.running)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(peers) < 4:
                await method(b"", timeout=PATIENCE_SECONDS)
        calls.answers.set()
        assert await long == b"answer"


@pytest.mark.parametrize("beyond", [0, 1500])
async def test_calls_that_wait_for_a_place_on_their_connection_are_served(beyond: int) -> None:
    calls = Calls()
    async with serving(calls.answer, Connections()) as address, channel_to(address) as channel:
        await channel.channel_ready()
        made = [asyncio.create_task(call(channel)) for _ in range(CALLS_OF_A_CONNECTION + beyond)]
        await until(lambda: calls.running == CALLS_OF_A_CONNECTION)
        calls.answers.set()
        assert Counter(await asyncio.gather(*made)) == {grpc.StatusCode.OK: len(made)}


async def test_calls_that_come_faster_than_they_are_begun_are_served() -> None:
    calls = Calls()
    calls.answers.set()
    async with serving(calls.answer, Connections()) as address, AsyncExitStack() as stack:
        methods: list[Any] = [
            stack.enter_context(
                grpc.insecure_channel(address, (("grpc.use_local_subchannel_pool", 1),))
            ).unary_unary(READ)
            for _ in range(4)
        ]
        # The server runs in this thread: meanwhile, it begins none.
        made = [
            method.future(b"", timeout=PATIENCE_SECONDS)
            for _ in range(CALLS_OF_A_CONNECTION)
            for method in methods
        ]
        ends = await asyncio.to_thread(lambda: Counter(each.code() for each in made))
    assert ends == {grpc.StatusCode.OK: 4 * CALLS_OF_A_CONNECTION}
