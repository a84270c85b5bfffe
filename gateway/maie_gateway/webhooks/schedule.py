"""When a delivery is tried again, by its age alone.

A count of attempts would have to be kept somewhere, and the broker's own also
counts the times that a delivery was put off or its gateway died.
"""

from __future__ import annotations

import random

# A gateway whose clock jumped does not give up what it has hardly tried.
MIN_DELIVERIES = 5
# Receivers that recover are not met by all that waits at the same instant.
JITTER = 0.25


def retry_delay(age: float, *, shortest: float, longest: float) -> float:
    """Seconds to the next attempt: as old as the delivery is, so the age doubles.

    Args:
        age: Seconds since the delivery was published.
        shortest: The shortest delay, before jitter.
        longest: The longest delay, before jitter.
    """
    return min(max(age, shortest), longest) * random.uniform(1 - JITTER, 1 + JITTER)


def is_over(age: float, deliveries: int, *, limit: float) -> bool:
    """Whether a delivery that failed is given up.

    Args:
        age: Seconds since the delivery was published.
        deliveries: How often the broker handed it out.
        limit: Seconds after which it is given up.
    """
    return age >= limit and deliveries >= MIN_DELIVERIES
