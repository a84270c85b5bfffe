"""When a webhook is delivered again, and when no more."""

from __future__ import annotations

import pytest

from maie_gateway.webhooks.schedule import MIN_DELIVERIES, is_over, retry_delay

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("age", "middle"), [(0, 1), (0.2, 1), (8, 8), (600, 600), (90000, 3600)])
def test_a_delivery_waits_as_long_as_it_is_old_within_bounds(age: float, middle: float) -> None:
    delays = [retry_delay(age, shortest=1, longest=3600) for _ in range(200)]
    assert 0.75 * middle <= min(delays) < max(delays) <= 1.25 * middle


def test_only_what_is_old_and_was_tried_is_given_up() -> None:
    assert is_over(10, MIN_DELIVERIES, limit=10)
    assert not is_over(9, 1000, limit=10)
    assert not is_over(10**9, MIN_DELIVERIES - 1, limit=10)
