"""Limits concurrent deliveries to each receiver, and stops those to one that is down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.webhooks.settings import WebhookSettings
from maie_runtime.breaker import CircuitBreaker


@dataclass(kw_only=True, frozen=True, slots=True)
class Refusal:
    """A delivery may not go now.

    Attributes:
        seconds: When to ask again at the earliest.
        error: What is wrong with the receiver; None where it is only busy.
    """

    seconds: float = 0.0
    error: StageError | None = None


class Passage:
    """A delivery may go; its outcome updates the circuit breaker."""

    def __init__(self, breaker: CircuitBreaker, host: str) -> None:
        self._breaker = breaker
        self._host = host
        self._noted = False

    def note(self, receiver_well: bool | None) -> bool:
        """Reports the receiver's health; returns whether the circuit breaker opens."""
        self._noted = receiver_well is not None
        if receiver_well:
            self._breaker.succeeded(self._host)
        return receiver_well is False and self._breaker.failed(self._host)

    def end(self) -> None:
        """Ends the delivery, maybe without knowing the receiver's health."""
        if not self._noted:
            self._breaker.abandoned(self._host)


def receiver_breaker(settings: WebhookSettings) -> CircuitBreaker:
    """The circuit breaker of a gateway's receivers."""
    return CircuitBreaker(threshold=settings.breaker_failures, pause=settings.breaker_pause_seconds)


class Gate:
    """Limits concurrent deliveries to each receiver, so that a slow one cannot take all slots.

    Args:
        settings: The settings of webhooks.
        breaker: Knows the receivers that are down, for all senders.
    """

    def __init__(self, settings: WebhookSettings, breaker: CircuitBreaker) -> None:
        self._limit = settings.concurrency_per_receiver
        self._breaker = breaker
        self._inside: Counter[str] = Counter()

    @contextmanager
    def passing(self, host: str) -> Iterator[Passage | Refusal]:
        """Takes a slot of a receiver, or refuses.

        Args:
            host: The receiver's host and port.
        """
        if self._inside[host] >= self._limit:
            yield Refusal()
            return
        if wait := self._breaker.enter(host):
            yield Refusal(seconds=wait, error=_left_alone(host))
            return
        self._inside[host] += 1
        passage = Passage(self._breaker, host)
        try:
            yield passage
        finally:
            passage.end()
            self._inside[host] -= 1
            if not self._inside[host]:
                del self._inside[host]


def _left_alone(host: str) -> StageError:
    return StageError(
        Code.UNAVAILABLE,
        Reason.RECEIVER_DOWN,
        f"The receiver at {host} failed too often in a row and is left alone for a while.",
    )
