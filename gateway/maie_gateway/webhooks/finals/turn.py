"""A turn of a feed: its finals go out one after the other."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from maie.event.v1 import event_pb2 as event
from maie_core.errors import StageError
from maie_gateway.egress.connections import host_of
from maie_gateway.webhooks.attempt import Attempts, Outcome
from maie_gateway.webhooks.finals.audience import Audience
from maie_gateway.webhooks.finals.feed import Feed, final_delivery
from maie_gateway.webhooks.finals.feeds import Feeds, Position
from maie_gateway.webhooks.gate import Gate, Refusal
from maie_gateway.webhooks.metrics import Counted, DeliveryMetrics
from maie_gateway.webhooks.queue import dead_letter_delivery
from maie_gateway.webhooks.schedule import (
    MAX_BUSY_SECONDS,
    SECONDS_PER_HOUR,
    is_over,
    retry_delay,
)
from maie_gateway.webhooks.settings import WebhookSettings
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.session_log import LoggedEntry, SessionLog
from maie_runtime.bus.types import Msg
from maie_runtime.failpoints import failpoint

log = structlog.get_logger()

# Then other feeds that wait come first.
TURN_SECONDS = 5.0


@dataclass(kw_only=True, frozen=True, slots=True)
class Tools:
    """What all turns need.

    Attributes:
        broker: The broker.
        logs: The logs of sessions.
        feeds: Notes and positions.
        attempts: Sends deliveries.
        gate: Limits concurrent deliveries to each receiver.
        settings: The settings of webhooks.
        metrics: Counts attempts.
        stopping: Whether the gateway stops.
    """

    broker: Broker
    logs: SessionLog
    feeds: Feeds
    attempts: Attempts
    gate: Gate
    settings: WebhookSettings
    metrics: DeliveryMetrics
    stopping: Callable[[], bool]


class Turn:
    """Sends the finals of a feed until there are no more, one has to wait, or the time is over.

    Args:
        feed: The feed.
        message: The note that holds it.
        audience: Who gets the finals of its session.
        tools: What all turns need.
    """

    def __init__(self, feed: Feed, message: Msg, audience: Audience, tools: Tools) -> None:
        self._feed = feed
        self._message = message
        self._tenant = audience.tenant
        # Without a URL, its secret is not found either, and its finals are given up.
        self._url = audience.urls.get(feed.receiver, "")
        self._tools = tools
        self._position = Position()

    async def run(self) -> None:
        """Sends finals, and settles the note.

        Raises:
            FeedMovedError: Another gateway went on with the feed.
            ErasedError: The session was removed.
            StageError: UNAVAILABLE, or DATA_LOSS with UNREADABLE.
            nats.errors.Error, APIError or OSError: As `BROKER_ERRORS`.
        """
        self._position = await self._tools.feeds.position(self._feed)
        async with aclosing(self._due()) as due:
            if await self._send(due):
                await self._message.ack()

    async def _send(self, due: AsyncIterator[LoggedEntry]) -> bool:
        """Sends finals; returns whether the note has done its work. If not, it comes again."""
        tools, feed = self._tools, self._feed
        ends, over = time.monotonic() + TURN_SECONDS, False
        async for logged in due:
            if tools.stopping():
                await self._message.nak()
                return False
            if over:
                await tools.feeds.requeue(feed, self._message.metadata.sequence.stream)
                return True
            delivery = final_delivery(feed, self._tenant, self._url, logged.entry)
            if not await self._settle(delivery):
                return False
            await failpoint("finals.after_send")
            self._position = await tools.feeds.move(feed, self._position, logged.place)
            await self._message.in_progress()
            over = time.monotonic() >= ends  # after one final at least
        return True

    async def _due(self) -> AsyncGenerator[LoggedEntry, None]:
        """The finals that are not settled, also those that come meanwhile."""
        place = self._position.place
        more = True
        while more:
            more = False
            async for logged in self._tools.logs.after(self._feed.session_id, place):
                place = logged.place
                if self._feed.has(logged.entry):
                    more = True
                    yield logged

    async def _settle(self, delivery: event.WebhookDelivery) -> bool:
        """Sends a final; returns whether the next one may follow. If not, the note is answered."""
        with self._tools.gate.passing(host_of(self._url)) as passage:
            if isinstance(passage, Refusal):
                return await self._put_off(delivery, passage)
            attempt = await self._tools.attempts.make(delivery)
            if passage.note(attempt.receiver_well):
                log.warning("webhook.receiver_left_alone")
        if attempt.error is None:
            self._count(delivery, Counted.DELIVERED)
            log.info("webhook.delivered", event_id=delivery.event_id)
            return True
        if attempt.outcome is Outcome.DROPPED:
            self._count(delivery, Counted.DROPPED)
            log.info("webhook.dropped", reason=attempt.error.reason)
            await self._message.ack()
            return False
        if attempt.outcome is Outcome.GIVEN_UP or self._is_over(delivery):
            return await self._give_up(delivery, attempt.error)
        if attempt.receiver_well:
            return await self._refused(delivery, attempt.error)
        await self._retry(delivery, attempt.error, self._delay(_age(delivery)))
        return False

    async def _put_off(self, delivery: event.WebhookDelivery, refusal: Refusal) -> bool:
        if refusal.error is None:
            await self._message.nak(delay=self._delay(_age(delivery), longest=MAX_BUSY_SECONDS))
        elif self._is_over(delivery):
            return await self._give_up(delivery, refusal.error)
        else:
            await self._message.nak(delay=max(refusal.seconds, self._delay(_age(delivery))))
        return False

    async def _refused(self, delivery: event.WebhookDelivery, error: StageError) -> bool:
        """Counts that the receiver answers, but takes this final not: later ones must not wait."""
        settings, before = self._tools.settings, self._position
        refusals = before.refusals + 1
        if refusals >= settings.final_refusals:
            return await self._give_up(delivery, error)
        self._position = await self._tools.feeds.move(self._feed, before, before.place, refusals)
        delay = self._delay(settings.retry_min_seconds * 2 ** (refusals - 1))
        await self._retry(delivery, error, delay)
        return False

    async def _retry(
        self, delivery: event.WebhookDelivery, error: StageError, delay: float
    ) -> None:
        self._count(delivery, Counted.FAILED)
        log.warning("webhook.failed", reason=error.reason, retry_seconds=round(delay, 1))
        await self._message.nak(delay=delay)

    async def _give_up(self, delivery: event.WebhookDelivery, error: StageError) -> bool:
        self._count(delivery, Counted.GIVEN_UP)
        log.warning("webhook.given_up", reason=error.reason, event_id=delivery.event_id)
        count = self._message.metadata.num_delivered
        await dead_letter_delivery(self._tools.broker, delivery, error, count)
        return True

    def _count(self, delivery: event.WebhookDelivery, outcome: Counted) -> None:
        self._tools.metrics.count(delivery, outcome)

    def _is_over(self, delivery: event.WebhookDelivery) -> bool:
        limit = self._tools.settings.give_up_hours * SECONDS_PER_HOUR
        return is_over(_age(delivery), self._message.metadata.num_delivered, limit=limit)

    def _delay(self, age: float, longest: float | None = None) -> float:
        settings = self._tools.settings
        return retry_delay(
            age,
            shortest=settings.retry_min_seconds,
            longest=longest or settings.retry_max_seconds,
        )


def _age(delivery: event.WebhookDelivery) -> float:
    """Seconds since the final was stored, by this clock and that of the gateway that did it."""
    return max(0.0, time.time() - delivery.finish_time.ToNanoseconds() / 1e9)
