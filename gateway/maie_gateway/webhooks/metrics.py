"""What becomes of attempts at webhooks, as a metric."""

from __future__ import annotations

import enum

from opentelemetry.metrics import Meter

from maie.event.v1 import event_pb2 as event
from maie_core.metrics import NO_METER


class Counted(enum.StrEnum):
    """What became of an attempt."""

    DELIVERED = "delivered"
    FAILED = "failed"
    """It is tried again."""
    GIVEN_UP = "given_up"
    DROPPED = "dropped"
    """Nobody wants it any more."""


class DeliveryMetrics:
    """Counts attempts at webhooks, of jobs and of live finals.

    Args:
        meter: Makes the instrument.
    """

    def __init__(self, meter: Meter = NO_METER) -> None:
        self._deliveries = meter.create_counter(
            "maie.webhook.deliveries",
            unit="{attempt}",
            description="Attempts to deliver a webhook about a `job` or a live `final`, by "
            "outcome: `delivered`, `failed` to be tried again, `given_up`, or `dropped` since "
            "nobody wants it any more.",
        )
        for about in ("job", "final"):
            for outcome in Counted:
                # A counter that is absent until its first event has no rate for it.
                self._deliveries.add(0, {"about": about, "outcome": outcome.value})

    def count(self, delivery: event.WebhookDelivery, outcome: Counted) -> None:
        """Counts an attempt at a delivery."""
        about = "final" if delivery.HasField("final") else "job"
        self._deliveries.add(1, {"about": about, "outcome": outcome.value})
