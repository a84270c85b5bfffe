"""A watch gives all that a bucket has, says when that was all, and then each change."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.stored_subjects import stored_subjects
from maie_runtime.bus.watch import Entry, watch
from tests.waiting import until

pytestmark = pytest.mark.mesh

BUCKET = subjects.REQUESTS


async def before_the_mark(broker: Broker) -> list[Entry]:
    """The entries that a new watch gives before it says that these were all."""
    found = []
    async with aclosing(watch(broker.jetstream, BUCKET)) as entries:
        async for entry in entries:
            if entry is None:
                break
            found.append(entry)
    return found


@pytest.mark.parametrize("count", [0, 1, 2, 300])
async def test_all_entries_come_before_the_mark(broker: Broker, count: int) -> None:
    for number in range(count):
        await broker.requests.put(f"t.{number}", str(number).encode())
    # Many at once, so that answers overtake what the server sent before.
    for found in await asyncio.gather(*(before_the_mark(broker) for _ in range(40))):
        assert [(each.key, each.value) for each in found] == [
            (f"t.{number}", str(number).encode()) for number in range(count)
        ]


async def test_removed_and_replaced_entries_are_told_apart(broker: Broker) -> None:
    await broker.requests.put("t.a", b"1")
    await broker.requests.put("t.b", b"")
    await broker.requests.put("t.a", b"2")
    await broker.requests.put("t.c", b"3")
    await broker.requests.delete("t.c")
    found = await before_the_mark(broker)
    assert [(each.key, each.value) for each in found] == [
        ("t.b", b""),
        ("t.a", b"2"),
        ("t.c", None),
    ]
    assert [each.revision for each in found] == sorted(each.revision for each in found)


async def test_changes_come_after_the_mark(broker: Broker) -> None:
    await broker.requests.put("t.a", b"1")
    async with aclosing(watch(broker.jetstream, BUCKET)) as entries:
        assert [await anext(entries) for _ in range(2)][1] is None
        for number in range(600):
            await broker.requests.put("t.b", b"%d" % number)
        # One that was replaced before it was sent does not come, and the last one always does.
        seen = [-1]
        while seen[-1] < 599:
            entry = await anext(entries)
            assert entry is not None
            seen.append(int(entry.value or b""))
        assert seen == sorted(set(seen))


async def test_a_stream_names_its_subjects(broker: Broker) -> None:
    stream = subjects.bucket_stream(BUCKET)
    assert await stored_subjects(broker.client, stream) == set()
    for number in range(3):
        await broker.requests.put(f"t.{number}", b"")
    assert await stored_subjects(broker.client, stream) == {
        subjects.bucket_subject(BUCKET, f"t.{number}") for number in range(3)
    }


async def test_a_watch_that_is_left_with_a_full_queue_leaves_no_task(broker: Broker) -> None:
    before = asyncio.all_tasks()
    for number in range(600):
        await broker.requests.put(f"t.{number}", b"")
    async with aclosing(watch(broker.jetstream, BUCKET)) as entries:
        assert await anext(entries)
        # The rest waits in the queue, and the mark for a place in it.
        await asyncio.sleep(0.3)
    await until(lambda: asyncio.all_tasks() <= before)
