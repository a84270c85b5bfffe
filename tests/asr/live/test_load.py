"""Who is read next, and when there is room for another track."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest

from maie_asr.live.engine import LiveReading
from maie_asr.live.load import HALF_LIFE_SECONDS, LoadMeter, Recent
from maie_asr.live.scheduler import Job, Priority, Scheduler
from maie_speech.live.stalls import StallWatch
from tests.waiting import until

pytestmark = pytest.mark.unit


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_happened_long_ago_counts_less() -> None:
    clock = Clock()
    recent = Recent(clock)
    recent.add(8)
    clock.now += 2 * HALF_LIFE_SECONDS
    recent.add(1)
    assert recent.value == pytest.approx(3)


def test_one_track_is_always_tried() -> None:
    meter = LoadMeter(1, Clock())
    meter.prime(100.0)
    assert meter.admits(1)
    assert not meter.admits(2)


def test_tracks_are_admitted_by_what_they_cost() -> None:
    meter = LoadMeter(2, Clock())
    for _ in range(200):
        meter.count_audio(1)
        meter.count_final(0.1)
    # Two workers have 1.6 s of each second for finals of 0.1 s.
    assert meter.admits(16)
    assert not meter.admits(20)


def test_partials_make_room() -> None:
    meter = LoadMeter(1, Clock())
    for _ in range(200):
        meter.count_audio(1)
        meter.count_partial(0.4)
    assert meter.admits(10)


def test_slow_readings_leave_no_room() -> None:
    meter = LoadMeter(2, Clock())
    meter.prime(0.1)
    assert meter.admits(8)
    for _ in range(50):
        meter.count_audio(1)
        meter.count_final(0.9)
    assert not meter.admits(3)


def test_finals_are_quick_while_they_take_much_of_the_workers_time() -> None:
    clock = Clock()
    meter = LoadMeter(2, clock)
    assert not meter.busy
    for _ in range(300):
        clock.now += 1
        meter.count_final(0.4)
        meter.count_partial(1.0)
    assert not meter.busy
    for _ in range(300):
        clock.now += 1
        meter.count_final(0.6)
    assert meter.busy


def test_many_streams_that_begin_at_once_are_noticed_within_seconds() -> None:
    clock = Clock()
    meter = LoadMeter(2, clock)
    clock.now += 3600
    for _ in range(5):
        clock.now += 1
        meter.count_final(1.2)
    assert meter.busy
    clock.now += 15
    assert not meter.busy


async def test_finals_come_first_and_partials_last() -> None:
    order: list[str] = []
    scheduler = Scheduler(1, LoadMeter(1, Clock()), StallWatch(60))

    def submit(name: str, priority: Priority) -> Job:
        async def work() -> LiveReading:
            order.append(name)
            return LiveReading(text=name)

        return scheduler.submit(priority, work)

    submit("partial", Priority.PARTIAL)
    late = submit("late", Priority.EAGER)
    submit("eager", Priority.EAGER)
    unwanted = submit("unwanted", Priority.FINAL)
    final = submit("final", Priority.FINAL)
    scheduler.promote(late, Priority.FINAL)
    scheduler.withdraw(unwanted)
    assert scheduler.pressed
    assert scheduler.thinning == 7
    async with scheduler.running():
        await scheduler.idle()
    assert order == ["final", "late", "eager", "partial"]
    assert final.result.result() == LiveReading(text="final")
    assert unwanted.result.cancelled()


async def test_a_reading_that_fails_fails_alone() -> None:
    scheduler = Scheduler(1, LoadMeter(1, Clock()), StallWatch(60))

    async def fails() -> LiveReading:
        raise ZeroDivisionError

    async def reads() -> LiveReading:
        return LiveReading(text="fine")

    async with scheduler.running():
        jobs = [scheduler.submit(Priority.FINAL, work) for work in (fails, reads)]
        with pytest.raises(ZeroDivisionError):
            await jobs[0].result
        assert await jobs[1].result == LiveReading(text="fine")
        unwanted = scheduler.submit(Priority.EAGER, fails)
        await until(unwanted.result.done)
        scheduler.withdraw(unwanted)


async def test_a_reading_that_runs_keeps_its_worker() -> None:
    scheduler = Scheduler(1, LoadMeter(1, Clock()), StallWatch(60))
    begun, held = asyncio.Event(), asyncio.Event()

    async def holds() -> LiveReading:
        begun.set()
        await held.wait()
        return LiveReading(text="")

    async with scheduler.running():
        first = scheduler.submit(Priority.PARTIAL, holds)
        await begun.wait()
        scheduler.withdraw(first)
        second = scheduler.submit(Priority.FINAL, holds)
        assert not second.result.done()
        assert scheduler.lateness() >= 0
        held.set()
        assert await second.result is not None
        await scheduler.idle()


async def test_a_worker_is_kept_from_partials() -> None:
    scheduler = Scheduler(2, LoadMeter(2, Clock()), StallWatch(60))
    begun, held = asyncio.Event(), asyncio.Event()

    async def holds() -> LiveReading:
        begun.set()
        await held.wait()
        return LiveReading(text="")

    async def reads() -> LiveReading:
        return LiveReading(text="soon")

    async with scheduler.running():
        partials = [scheduler.submit(Priority.PARTIAL, holds) for _ in range(2)]
        await begun.wait()
        final = scheduler.submit(Priority.FINAL, reads)
        assert await final.result == LiveReading(text="soon")
        assert not any(partial.result.done() for partial in partials)
        held.set()
        await scheduler.idle()
        assert all(partial.result.done() for partial in partials)


async def test_audio_is_dropped_once_it_is_read_or_unwanted() -> None:
    scheduler = Scheduler(1, LoadMeter(1, Clock()), StallWatch(60))
    audio = [np.zeros(1), np.zeros(1)]
    kept = [weakref.ref(each) for each in audio]

    def reads(samples: np.ndarray[Any, Any]) -> Callable[[], Awaitable[LiveReading]]:
        async def read() -> LiveReading:
            return LiveReading(text=str(len(samples)))

        return read

    jobs = [scheduler.submit(Priority.EAGER, reads(audio.pop())) for _ in kept]
    scheduler.withdraw(jobs[0])
    async with scheduler.running():
        assert await jobs[1].result == LiveReading(text="1")
        await scheduler.idle()
    assert [each() for each in kept] == [None, None]
