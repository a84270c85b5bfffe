"""Token buckets, and how their memory stays bounded."""

from __future__ import annotations

import asyncio

import pytest

from maie_runtime.rpc.limits.pauses import Pauses
from maie_runtime.rpc.limits.rates import Rate, RateTable
from maie_runtime.rpc.limits.refusals import address_of
from maie_runtime.rpc.limits.turns import Turns

pytestmark = pytest.mark.unit

RATE = Rate(per_second=2.0, burst=3.0)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def taken(table: RateTable, name: str, attempts: int, rate: Rate = RATE) -> int:
    """How many of so many attempts at once get a token."""
    found = 0
    for _ in range(attempts):
        if not table.wait(name, rate):
            table.take(name, rate)
            found += 1
    return found


def test_a_burst_is_taken_and_then_the_rate() -> None:
    clock = Clock()
    table = RateTable(clock=clock)
    assert taken(table, "a", 10) == 3
    assert table.wait("a", RATE) == pytest.approx(0.5)
    assert taken(table, "b", 10) == 3
    clock.now += 1.0
    assert taken(table, "a", 10) == 2
    clock.now += 100.0
    assert taken(table, "a", 10) == 3


def test_after_the_wait_there_is_a_token() -> None:
    clock = Clock()
    table = RateTable(clock=clock)
    for rate in (RATE, Rate(per_second=0.3, burst=1.0), Rate(per_second=700.0, burst=1.5)):
        for _ in range(50):
            clock.now += table.wait("a", rate) + 1e-6
            assert not table.wait("a", rate)
            table.take("a", rate)


def test_names_are_forgotten_once_they_are_like_new_ones() -> None:
    clock = Clock()
    table = RateTable(clock=clock)
    for number in range(1000):
        table.take(f"name {number}", RATE)
        clock.now += 0.1
    # Of those 1000, each is full again after half a second.
    assert len(table) <= 6


def test_there_is_a_most_of_names() -> None:
    table = RateTable(most=100, clock=Clock())
    assert taken(table, "early", 10) == 3
    for number in range(1000):
        table.take(f"name {number}", RATE)
        assert len(table) <= 100
    assert not table.wait("early", RATE)
    assert table.wait("name 999", RATE) == 0.0
    assert taken(table, "name 999", 10) == 2


async def test_refusals_of_one_caller_come_one_after_the_other() -> None:
    pauses = Pauses(Rate(per_second=20.0, burst=2.0))
    ends: list[float] = []
    clock = asyncio.get_running_loop().time
    began = clock()

    async def refused(name: str) -> None:
        await pauses.pause(name)
        ends.append(clock() - began)

    await asyncio.gather(*(refused("flood") for _ in range(6)))
    # Two at once, and each of the others a twentieth of a second after the one before.
    assert all(end >= 0.04 * number for number, end in enumerate(sorted(ends)[1:]))
    await pauses.pause("another")


async def test_only_so_many_refusals_wait() -> None:
    pauses = Pauses(Rate(per_second=0.001, burst=1.0), most_seconds=1000.0, most_waiting=2)
    await pauses.pause("flood")
    waiting = [asyncio.create_task(pauses.pause("flood")) for _ in range(2)]
    await asyncio.sleep(0)
    await pauses.pause("flood")
    waiting[0].cancel()
    await asyncio.wait(waiting[:1])
    third = asyncio.create_task(pauses.pause("flood"))
    await asyncio.sleep(0)
    assert not third.done()
    for each in (*waiting, third):
        each.cancel()
    await asyncio.wait((*waiting, third))


async def test_calls_of_one_caller_take_turns_and_leave_nothing() -> None:
    turns, running, most = Turns(at_a_time=3), 0, 0
    go = asyncio.Event()

    async def call(name: str) -> None:
        nonlocal running, most
        async with turns.turn(name):
            running += 1
            most = max(most, running)
            await go.wait()
            running -= 1

    flood = [asyncio.create_task(call("flood")) for _ in range(50)]
    await asyncio.sleep(0)
    assert running == 3
    other = asyncio.create_task(call("another"))
    await asyncio.sleep(0)
    assert running == 4
    for each in flood[:10]:
        each.cancel()  # some that run, and some that wait
    go.set()
    await asyncio.wait((*flood, other))
    assert all(each.cancelled() for each in flood[:10])
    assert not any(each.cancelled() for each in (*flood[10:], other))
    assert not turns._lines


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:192.0.2.7:41234", "192.0.2.7"),
        ("ipv6:%5B2001:db8:1:2:3:4:5:6%5D:41234", "2001:db8:1:2::/64"),
        ("ipv6:[2001:db8:1:2::9]:1", "2001:db8:1:2::/64"),
        ("ipv6:%5B::ffff:192.0.2.7%5D:41234", "192.0.2.7"),
        ("ipv6:%5Bfe80::1%25eth0%5D:41234", "fe80::/64"),
        ("ipv4:192.0.2.7", "192.0.2.7"),
        ("ipv6:[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        ("unix:", "unix:"),
    ],
)
def test_an_address_has_no_port(peer: str, address: str) -> None:
    assert address_of(peer) == address
