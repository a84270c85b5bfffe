"""Deliveries in and out of the broker."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from maie.event.v1 import event_pb2 as event
from maie_core.errors import StageError
from maie_gateway.webhooks.deliveries import delivery_id
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker

STAGE = "webhook"
"""Stands for the stage in the subjects and units of dead letters of deliveries."""


async def publish_deliveries(broker: Broker, queued: Iterable[event.WebhookDelivery]) -> None:
    """Queues deliveries. The broker drops one that was queued a short while ago.

    Raises:
        StageError: UNAVAILABLE with BROKER_UNAVAILABLE.
    """
    for delivery in queued:
        await broker.publish(
            subjects.webhook(delivery.job_id, delivery.receiver),
            delivery,
            message_id=delivery_id(delivery),
        )


async def dead_letter_delivery(
    broker: Broker, delivery: event.WebhookDelivery, error: StageError, deliveries: int
) -> None:
    """Publishes a dead letter for a delivery that was given up.

    Args:
        broker: The broker.
        delivery: The delivery.
        error: Why it was given up.
        deliveries: How often the broker delivered its message.
    """
    unit = f"{STAGE}.{delivery.receiver}"
    if delivery.HasField("final"):
        unit += f".{delivery.event_id.rpartition('/')[2]}"
    letter = event.DeadLetter(
        task=event.StageTask(job_id=delivery.job_id, unit=unit, attempt=deliveries),
        failure=error.to_failure(unit),
        webhook=delivery,
    )
    letter.dead_time.FromDatetime(datetime.now(UTC))
    await broker.publish(
        subjects.dead_letter(STAGE, delivery.job_id),
        letter,
        message_id=delivery_id(delivery),
        contested=True,
    )


async def replay(broker: Broker, letter: event.DeadLetter) -> None:
    """Queues the delivery of a dead letter again; the event keeps its id."""
    again = event.WebhookDelivery()
    again.CopyFrom(letter.webhook)
    again.attempt += 1
    await publish_deliveries(broker, [again])
