"""Sends queued deliveries. Every gateway runs one sender."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from google.protobuf.message import DecodeError

from maie.event.v1 import event_pb2 as event
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_core.trace_context import within
from maie_gateway.egress.connections import host_of
from maie_gateway.egress.guard import UrlGuard
from maie_gateway.records.store import JobStore
from maie_gateway.webhooks.attempt import Attempt, Attempts, Outcome
from maie_gateway.webhooks.gate import Gate, Refusal
from maie_gateway.webhooks.http import open_poster
from maie_gateway.webhooks.metrics import Counted, DeliveryMetrics
from maie_gateway.webhooks.pulling import Puller, Source
from maie_gateway.webhooks.queue import dead_letter_delivery
from maie_gateway.webhooks.schedule import (
    ACK_MARGIN_SECONDS,
    MAX_BUSY_SECONDS,
    SECONDS_PER_HOUR,
    is_over,
    retry_delay,
)
from maie_gateway.webhooks.secrets import Secrets
from maie_gateway.webhooks.settings import WebhookSettings
from maie_runtime.breaker import CircuitBreaker
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker
from maie_runtime.bus.erasing import erase
from maie_runtime.bus.tracing import traceparent_of_message
from maie_runtime.bus.types import Msg
from maie_runtime.bus.unreadable import Unreadable, dead_letter

log = structlog.get_logger()


class WebhookSender:
    """Delivers at least once: a delivery leaves the queue when its outcome is known.

    A delivery that cannot be sent now is NAKed with a delay, so that it waits in
    the broker and takes no slot from others.

    Args:
        broker: The broker.
        store: The job records.
        settings: The settings of webhooks.
        guard: Decides which URLs are allowed.
        breaker: Knows the receivers that are down.
        metrics: Counts attempts.
    """

    def __init__(
        self,
        broker: Broker,
        store: JobStore,
        settings: WebhookSettings,
        guard: UrlGuard,
        breaker: CircuitBreaker,
        metrics: DeliveryMetrics | None = None,
    ) -> None:
        self._broker = broker
        self._guard = guard
        self._settings = settings
        self._secrets = Secrets(store, settings.tenants)
        self._gate = Gate(settings, breaker)
        self._metrics = metrics or DeliveryMetrics()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sends as long as the context lasts; then finishes running attempts."""
        settings = self._settings
        source = Source(
            stream=subjects.WEBHOOKS,
            consumer=subjects.WEBHOOK_SENDERS,
            ack_wait_seconds=settings.timeout_seconds + ACK_MARGIN_SECONDS,
        )
        async with open_poster(self._guard, settings.timeout_seconds) as poster:
            attempts = Attempts(poster, self._secrets, settings.source, self._broker.tracer)

            async def handle(message: Msg) -> None:
                await self._handle(message, attempts)

            async with Puller(self._broker, source, settings.concurrency, handle).running():
                yield

    async def _handle(self, message: Msg, attempts: Attempts) -> None:
        job_id, receiver = message.subject.split(".")[2:4]
        try:
            data = await self._broker.opened(job_id, message.data)
            delivery = event.WebhookDelivery.FromString(data)
        except DecodeError:
            delivery = event.WebhookDelivery()
        except StageError as error:
            if error.reason == Reason.DATA_KEY_GONE:
                await self._finish(message)
            else:
                # The broker redelivers it after ack_wait.
                # What is sealed is also whose it is.
                ids = structlog.contextvars.bound_contextvars(job=job_id)
                with ids, within(traceparent_of_message(message)):
                    log.warning("webhook.not_opened", error=error.message)
            return
        if (delivery.job_id, delivery.receiver) != (job_id, receiver):
            place = message.metadata.sequence.stream
            await dead_letter(self._broker, Unreadable(kind="webhook", job_id=job_id, place=place))
            await message.term()
            return
        host = host_of(delivery.url)
        ids = structlog.contextvars.bound_contextvars(
            job=delivery.job_id, tenant=delivery.tenant, receiver=delivery.receiver, host=host
        )
        with ids, within(traceparent_of_message(message)):
            try:
                await self._deliver(delivery, host, message, attempts)
            except (StageError, *BROKER_ERRORS) as error:
                # The broker redelivers it after ack_wait.
                log.warning("webhook.not_settled", error=str(error) or type(error).__name__)

    async def _deliver(
        self, delivery: event.WebhookDelivery, host: str, message: Msg, attempts: Attempts
    ) -> None:
        with self._gate.passing(host) as passage:
            if isinstance(passage, Refusal):
                await self._put_off(delivery, message, passage)
                return
            attempt = await attempts.make(delivery, message.metadata.num_delivered - 1)
            if passage.note(attempt.receiver_well):
                log.warning("webhook.receiver_left_alone")
        await self._settle(delivery, message, attempt)

    async def _put_off(
        self, delivery: event.WebhookDelivery, message: Msg, refusal: Refusal
    ) -> None:
        if refusal.error is None:
            await message.nak(delay=self._delay(message, longest=MAX_BUSY_SECONDS))
        elif self._is_over(message):
            await self._give_up(delivery, message, refusal.error)
        else:
            await message.nak(delay=max(refusal.seconds, self._delay(message)))

    async def _settle(
        self, delivery: event.WebhookDelivery, message: Msg, attempt: Attempt
    ) -> None:
        reason = attempt.error.reason if attempt.error else ""
        if attempt.outcome is Outcome.DELIVERED:
            self._metrics.count(delivery, Counted.DELIVERED)
            log.info("webhook.delivered", event_id=delivery.event_id)
            await self._finish(message)
        elif attempt.outcome is Outcome.DROPPED:
            self._metrics.count(delivery, Counted.DROPPED)
            log.info("webhook.dropped", reason=reason)
            await self._finish(message)
        elif attempt.error and (attempt.outcome is Outcome.GIVEN_UP or self._is_over(message)):
            await self._give_up(delivery, message, attempt.error)
        else:
            delay = self._delay(message)
            self._metrics.count(delivery, Counted.FAILED)
            log.warning("webhook.failed", reason=reason, retry_seconds=round(delay, 1))
            await message.nak(delay=delay)

    async def _give_up(
        self, delivery: event.WebhookDelivery, message: Msg, error: StageError
    ) -> None:
        self._metrics.count(delivery, Counted.GIVEN_UP)
        log.warning("webhook.given_up", reason=error.reason)
        await dead_letter_delivery(self._broker, delivery, error, message.metadata.num_delivered)
        await self._finish(message)

    async def _finish(self, message: Msg) -> None:
        """Ends a delivery: overwrites its message on the broker's disk, and acknowledges it."""
        await erase(self._broker, subjects.WEBHOOKS, message.metadata.sequence.stream)
        await message.ack()

    def _delay(self, message: Msg, longest: float | None = None) -> float:
        return retry_delay(
            _age(message),
            shortest=self._settings.retry_min_seconds,
            longest=longest or self._settings.retry_max_seconds,
        )

    def _is_over(self, message: Msg) -> bool:
        limit = self._settings.give_up_hours * SECONDS_PER_HOUR
        return is_over(_age(message), message.metadata.num_delivered, limit=limit)


def _age(message: Msg) -> float:
    """Seconds since the delivery was published: this clock minus the broker's timestamp."""
    return max(0.0, time.time() - message.metadata.timestamp.timestamp())
