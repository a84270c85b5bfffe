from __future__ import annotations

import pytest

from maie_runtime.breaker import MAX_REMEMBERED, CircuitBreaker

pytestmark = pytest.mark.unit


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> CircuitBreaker:
    breaker = CircuitBreaker(threshold=3, pause=30, clock=clock)
    assert [breaker.failed("a") for _ in range(3)] == [False, False, True]
    return breaker


def test_it_opens_after_failures_in_a_row_for_that_receiver_only() -> None:
    breaker = opened(Clock())
    assert breaker.enter("a") == 30
    assert breaker.enter("b") == 0


def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = CircuitBreaker(threshold=2, pause=30)
    for _ in range(5):
        assert not breaker.failed("a")
        breaker.succeeded("a")
    assert breaker.enter("a") == 0


def test_after_the_pause_one_call_tries_and_closes_it() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 30
    assert [breaker.enter("a"), breaker.enter("a")] == [0, 30]
    breaker.succeeded("a")
    assert [breaker.enter("a"), breaker.enter("a")] == [0, 0]


def test_after_the_pause_one_call_tries_and_opens_it_again() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 31
    assert breaker.enter("a") == 0
    assert breaker.failed("a")
    assert breaker.enter("a") == 30


def test_a_try_without_an_outcome_leaves_room_for_the_next() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 31
    assert breaker.enter("a") == 0
    breaker.abandoned("a")
    assert breaker.enter("a") == 0


def test_it_remembers_only_so_many_receivers() -> None:
    breaker = opened(Clock())
    for number in range(MAX_REMEMBERED):
        breaker.failed(f"host-{number}")
    assert breaker.enter("a") == 0
