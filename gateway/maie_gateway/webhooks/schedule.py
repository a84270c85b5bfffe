"""When a delivery is retried, by its age alone.

A count of attempts would have to be stored, and the broker's own count includes
deferrals and deaths of gateways.
"""

from __future__ import annotations

import random

# Beyond the receiver's own time: reading the secret and storing the outcome.
ACK_MARGIN_SECONDS = 10.0
# The longest delay for a delivery that waits for others.
MAX_BUSY_SECONDS = 15.0
SECONDS_PER_HOUR = 3600.0
# A gateway whose clock jumped must not give up after a few attempts.
MIN_DELIVERIES = 5
# Spreads the retries, so that a recovering receiver does not get all of them at once.
JITTER = 0.25


def retry_delay(age: float, *, shortest: float, longest: float) -> float:
    """Seconds to the next attempt: the delivery's age, so that the age doubles.

    Args:
        age: Seconds since the delivery was published.
        shortest: The shortest delay, before jitter.
        longest: The longest delay, before jitter.
    """
    return min(max(age, shortest), longest) * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - jitter, no secret


def is_over(age: float, deliveries: int, *, limit: float) -> bool:
    """Whether a delivery that failed is given up.

    Args:
        age: Seconds since the delivery was published.
        deliveries: How often the broker delivered its message.
        limit: Seconds after which it is given up.
    """
    return age >= limit and deliveries >= MIN_DELIVERIES
