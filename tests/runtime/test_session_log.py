"""The log of a live session takes an entry only from who knows the last one."""

from __future__ import annotations

import asyncio

import pytest

from maie.live.v1 import session_pb2 as session
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_runtime.bus import session_log, subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.session_log import FencedError, SessionLog
from tests.conftest import NatsServer

pytestmark = pytest.mark.mesh

SESSION = "0199a000-7f31-7c11-8a54-0d5d4c1f0a11"
OTHER = "0199a000-7f31-7c11-8a54-0d5d4c1f0a12"


def entry(epoch: int, of: str = SESSION) -> session.SessionEntry:
    return session.SessionEntry(
        session_id=of, epoch=epoch, taken=session.SessionTaken(gateway=f"g{epoch}")
    )


async def test_entries_come_back_in_order_and_sessions_apart(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_log, "PAGE", 3)
    log, place, other = SessionLog(broker), 0, 0
    for number in range(8):
        place = await log.append(entry(number), after=place, message_id=f"a/{number}")
        other = await log.append(entry(number, OTHER), after=other, message_id=f"b/{number}")
    found = await log.read(SESSION)
    assert [each.entry.epoch for each in found] == list(range(8))
    assert found[-1].place == place
    last = await log.last(OTHER)
    assert last is not None
    assert (last.place, last.entry.epoch) == (other, 7)
    assert await log.read("0199a000-7f31-7c11-8a54-0d5d4c1f0a13") == []
    assert await log.last("0199a000-7f31-7c11-8a54-0d5d4c1f0a13") is None


async def test_who_does_not_know_the_last_entry_writes_nothing(broker: Broker) -> None:
    log = SessionLog(broker)
    first = await log.append(entry(1), after=0, message_id="a/1")
    await log.append(entry(2), after=first, message_id="b/1")
    with pytest.raises(FencedError):
        await log.append(entry(1), after=first, message_id="a/2")
    with pytest.raises(FencedError):
        await log.append(entry(3), after=0, message_id="c/1")
    assert [each.entry.epoch for each in await log.read(SESSION)] == [1, 2]


async def test_an_entry_whose_answer_was_lost_is_stored_once(broker: Broker) -> None:
    """nats-server 2.15 looks at the condition before the id, so that a repeat is refused."""
    log = SessionLog(broker)
    first = await log.append(entry(1), after=0, message_id="a/1")
    second = await log.append(entry(2), after=first, message_id="a/2")
    assert await log.append(entry(2), after=first, message_id="a/2") == second
    await log.append(entry(3), after=second, message_id="b/1")
    # Stored, although another gateway has gone on since; the next entry is refused.
    assert await log.append(entry(2), after=first, message_id="a/2") == second
    with pytest.raises(FencedError):
        await log.append(entry(2), after=second, message_id="a/3")
    assert [each.entry.epoch for each in await log.read(SESSION)] == [1, 2, 3]


async def test_an_erased_log_takes_no_late_entry(broker: Broker) -> None:
    log = SessionLog(broker)
    place = await log.append(entry(1), after=0, message_id="a/1")
    await broker.jetstream.delete_msg(subjects.SESSIONS, place)
    with pytest.raises(FencedError):
        await log.append(entry(1), after=place, message_id="a/2")
    assert await log.read(SESSION) == []


async def test_an_entry_waits_for_a_broker_that_restarts(
    broker: Broker, nats_server: NatsServer
) -> None:
    log = SessionLog(broker)
    place = await log.append(entry(1), after=0, message_id="a/1")
    await nats_server.stop(kill=True)
    writing = asyncio.create_task(log.append(entry(2), after=place, message_id="a/2"))
    await asyncio.sleep(0)
    await nats_server.start()
    assert await writing > place
    assert [each.entry.epoch for each in await log.read(SESSION)] == [1, 2]


@pytest.mark.slow
async def test_a_broker_that_stays_away_is_reported(
    broker: Broker, nats_server: NatsServer
) -> None:
    await nats_server.stop()
    with pytest.raises(StageError) as failed:
        await SessionLog(broker, give_up_seconds=0.0).append(entry(1), after=0, message_id="a")
    assert failed.value.reason == Reason.BROKER_UNAVAILABLE


async def test_who_watches_a_session_notices_what_others_write(broker: Broker) -> None:
    log, seen = SessionLog(broker), asyncio.Queue[int]()

    async def noticed(written: session.SessionEntry) -> None:
        seen.put_nowait(written.epoch)

    async with log.watching(SESSION, noticed):
        await broker.client.flush()
        await log.append(entry(7, OTHER), after=0, message_id="b/1")
        await log.append(entry(2), after=0, message_id="a/1")
        assert await seen.get() == 2
