from __future__ import annotations

import pytest

from maie_gateway.webhooks.breaker import MAX_REMEMBERED, CircuitBreaker
from maie_gateway.webhooks.schedule import MIN_DELIVERIES, is_over, retry_delay

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


def test_after_the_pause_one_delivery_tries_and_closes_it() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 30
    assert [breaker.enter("a"), breaker.enter("a")] == [0, 30]
    breaker.succeeded("a")
    assert [breaker.enter("a"), breaker.enter("a")] == [0, 0]


def test_after_the_pause_one_delivery_tries_and_opens_it_again() -> None:
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


@pytest.mark.parametrize(("age", "middle"), [(0, 1), (0.2, 1), (8, 8), (600, 600), (90000, 3600)])
def test_a_delivery_waits_as_long_as_it_is_old_within_bounds(age: float, middle: float) -> None:
    delays = [retry_delay(age, shortest=1, longest=3600) for _ in range(200)]
    assert 0.75 * middle <= min(delays) < max(delays) <= 1.25 * middle


def test_only_what_is_old_and_was_tried_is_given_up() -> None:
    assert is_over(10, MIN_DELIVERIES, limit=10)
    assert not is_over(9, 1000, limit=10)
    assert not is_over(10**9, MIN_DELIVERIES - 1, limit=10)
