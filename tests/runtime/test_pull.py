"""What waits for a durable consumer comes at once and in groups."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import pytest
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import APIError

from maie_runtime.background import end
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.bus.pull import pull_groups
from tests.conftest import NatsServer
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

CONSUMER = "test"
GROUP = 64
# Long enough that a message which is kept back until a request ends is not there in time.
NEVER = 600.0


@pytest.fixture
async def broker(nats_server: NatsServer) -> AsyncIterator[Broker]:
    """A connection with the streams in place and a consumer of events."""
    async with open_provisioned_broker(nats_server.url, "test") as opened:
        await opened.jetstream.add_consumer(
            subjects.EVENTS,
            ConsumerConfig(durable_name=CONSUMER, ack_policy=AckPolicy.EXPLICIT, ack_wait=NEVER),
        )
        yield opened


def groups_of(
    broker: Broker, request_seconds: float = NEVER
) -> aclosing[AsyncGenerator[list[Msg], None]]:
    """The groups of the consumer, to be closed."""
    return aclosing(
        pull_groups(
            broker.client,
            subjects.EVENTS,
            CONSUMER,
            size=GROUP,
            request_seconds=request_seconds,
        )
    )


async def publish(broker: Broker, *texts: str) -> None:
    for text in texts:
        await broker.jetstream.publish(subjects.event("asr", "job"), text.encode())


async def take(groups: AsyncIterator[list[Msg]], count: int) -> list[list[str]]:
    """The next groups, with at least `count` messages in all."""
    taken: list[list[str]] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while sum(map(len, taken)) < count:
            taken.append([message.data.decode() for message in await anext(groups)])
    return taken


async def test_a_lone_message_is_not_kept_back_until_more_come(broker: Broker) -> None:
    async with groups_of(broker) as groups:
        for text in ("first", "second"):
            waiting = asyncio.create_task(take(groups, 1))
            await asyncio.sleep(0.05)
            await publish(broker, text)
            assert await waiting == [[text]]


async def test_messages_come_at_once_after_requests_have_ended(broker: Broker) -> None:
    async with groups_of(broker, request_seconds=0.1) as groups:
        for number in range(10):
            waiting = asyncio.create_task(take(groups, 1))
            await asyncio.sleep(0.095 + number / 1000)
            await publish(broker, str(number))
            assert await waiting == [[str(number)]]


async def test_messages_that_wait_together_come_in_groups_and_in_order(broker: Broker) -> None:
    texts = [str(number) for number in range(3 * GROUP)]
    await publish(broker, *texts)
    async with groups_of(broker) as groups:
        taken = await take(groups, len(texts))
    assert [text for group in taken for text in group] == texts
    assert max(map(len, taken)) <= GROUP
    assert len(taken) < len(texts)


async def test_a_pull_that_was_closed_takes_nothing_from_the_next(broker: Broker) -> None:
    async with groups_of(broker) as groups:
        waiting = asyncio.create_task(take(groups, 1))
        await asyncio.sleep(0.05)
        await end(waiting)
    await publish(broker, "for the next")
    async with groups_of(broker) as groups:
        assert await take(groups, 1) == [["for the next"]]


async def test_a_refusal_is_raised_after_what_came_before_it(broker: Broker) -> None:
    await publish(broker, "before")
    async with groups_of(broker) as groups:
        assert await take(groups, 1) == [["before"]]
        waiting = asyncio.create_task(take(groups, 1))
        await asyncio.sleep(0.05)
        await broker.jetstream.delete_consumer(subjects.EVENTS, CONSUMER)
        with pytest.raises(APIError):
            await waiting


async def test_a_request_that_was_lost_with_its_server_is_made_again(
    broker: Broker, nats_server: NatsServer
) -> None:
    async with groups_of(broker, request_seconds=0.5) as groups:
        waiting = asyncio.create_task(take(groups, 1))
        await asyncio.sleep(0.05)
        await nats_server.stop(kill=True)
        await nats_server.start()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not broker.connected:
                await asyncio.sleep(0.05)
        await publish(broker, "after")
        assert await waiting == [["after"]]
