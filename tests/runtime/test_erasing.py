"""Removing the messages of one job harms no other."""

from __future__ import annotations

import asyncio
import random

import pytest
from nats.js.api import AckPolicy, ConsumerConfig

from maie.job.v1 import job_pb2 as job
from maie.live.v1 import session_pb2 as session
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.erasing import erase, erase_all
from maie_runtime.bus.rights import API, parts
from tests.waiting import until

pytestmark = pytest.mark.mesh

SESSIONS = 100
TRACKS = 5


async def test_a_message_that_is_gone_is_no_error(broker: Broker) -> None:
    await broker.publish(subjects.event("asr", "job-1"), job.Job(), message_id="1")
    await erase(broker, subjects.EVENTS, 1)
    await erase(broker, subjects.EVENTS, 1)
    assert await erase_all(broker, subjects.EVENTS, subjects.event("*", "job-1")) == []


async def test_notes_of_other_sessions_are_all_delivered(broker: Broker) -> None:
    """Three gateways take notes, and put some off, while those of single sessions are removed."""
    chance, removed, taken = random.Random(1), set[str](), set[str]()
    config = ConsumerConfig(durable_name="test", ack_policy=AckPolicy.EXPLICIT, ack_wait=3)
    await broker.jetstream.add_consumer(subjects.FINALS, config)

    async def work() -> None:
        gateway = await broker.jetstream.pull_subscribe_bind("test", stream=subjects.FINALS)
        while True:
            try:
                messages = await gateway.fetch(4, timeout=0.2)
            except TimeoutError:
                continue
            for message in messages:
                if chance.random() < 0.3:
                    await message.nak(delay=0.02)
                else:
                    taken.add(message.subject)
                    await message.ack()

    working = [asyncio.create_task(work()) for _ in range(3)]
    published = []
    for number in range(SESSIONS):
        for track in range(TRACKS):
            subject = subjects.final(f"session-{number}", "0", track)
            await broker.publish(subject, session.FinalsDue(), message_id=subject)
            published.append(subject)
        gone = f"session-{chance.randint(max(0, number - 3), number)}"
        removed.add(gone)
        await erase_all(broker, subjects.FINALS, subjects.finals_of_session(gone))
    wanted = {each for each in published if each.split(".")[2] not in removed}
    assert len(wanted) > SESSIONS
    await until(lambda: taken >= wanted)
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)


def test_no_gateway_may_purge_what_anybody_takes_from() -> None:
    allowed = {right.subject for part in parts().values() for right in part}
    pulled = f"{API}.CONSUMER.MSG.NEXT."
    taken = {each.removeprefix(pulled).split(".")[0] for each in allowed if each.startswith(pulled)}
    assert taken >= {subjects.TASKS, subjects.EVENTS, subjects.FINALS, subjects.WEBHOOKS}
    assert not {f"{API}.STREAM.PURGE.{stream}" for stream in taken} & allowed
