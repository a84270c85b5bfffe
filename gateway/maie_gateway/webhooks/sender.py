"""Sends queued deliveries. Every gateway runs one sender."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress

import structlog
from google.protobuf.message import DecodeError
from yarl import URL

from maie.event.v1 import event_pb2 as event
from maie_core.errors import StageError
from maie_gateway.records.erasing import erase
from maie_gateway.records.store import JobStore
from maie_gateway.webhooks.attempt import Attempt, Attempts, Outcome
from maie_gateway.webhooks.gate import Gate, Refusal
from maie_gateway.webhooks.guard import UrlGuard
from maie_gateway.webhooks.http import open_poster
from maie_gateway.webhooks.queue import dead_letter_delivery
from maie_gateway.webhooks.schedule import is_over, retry_delay
from maie_gateway.webhooks.secrets import Secrets
from maie_gateway.webhooks.settings import WebhookSettings
from maie_runtime.background import background_tasks
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker
from maie_runtime.bus.pull import pull_groups
from maie_runtime.bus.types import AckPolicy, ConsumerConfig, Msg
from maie_runtime.bus.unreadable import Unreadable, dead_letter

log = structlog.get_logger()

BROKER_PAUSE_SECONDS = 1.0
# Beyond the receiver's own time: reading the secret and storing the outcome.
ACK_MARGIN_SECONDS = 10.0
# The longest delay for a delivery whose receiver has no free slot.
MAX_BUSY_SECONDS = 15.0
SECONDS_PER_HOUR = 3600.0


class WebhookSender:
    """Delivers at least once: a delivery leaves the queue when its outcome is known.

    A delivery that cannot be sent now is NAKed with a delay, so that it waits in
    the broker and takes no slot from others.
    """

    def __init__(
        self, broker: Broker, store: JobStore, settings: WebhookSettings, guard: UrlGuard
    ) -> None:
        self._broker = broker
        self._guard = guard
        self._settings = settings
        self._secrets = Secrets(store, settings.tenants)
        self._gate = Gate(settings)
        self._places = asyncio.Semaphore(settings.concurrency)
        self._sending: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sends as long as the context lasts; then finishes running attempts."""
        await self._declare_consumer()
        async with open_poster(self._guard, self._settings.timeout_seconds) as poster:
            attempts = Attempts(poster, self._secrets, self._settings.source)
            try:
                async with background_tasks(self._pull(attempts)):
                    yield
            finally:
                await asyncio.gather(*self._sending, return_exceptions=True)

    async def _declare_consumer(self) -> None:
        await self._broker.jetstream.add_consumer(
            subjects.WEBHOOKS,
            ConsumerConfig(
                durable_name=subjects.WEBHOOK_SENDERS,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=self._settings.timeout_seconds + ACK_MARGIN_SECONDS,
                max_deliver=-1,
                # Deliveries that wait for a retry count as pending, and must not block others.
                max_ack_pending=-1,
            ),
        )

    async def _pull(self, attempts: Attempts) -> None:
        while True:
            pulled = pull_groups(
                self._broker.client, subjects.WEBHOOKS, subjects.WEBHOOK_SENDERS, size=1
            )
            try:
                async with aclosing(pulled) as groups:
                    # Take a slot before pulling: a pulled message must be acked within ack_wait.
                    await self._places.acquire()
                    async for (message,) in groups:
                        self._start(message, attempts)
                        await self._places.acquire()
            except BROKER_ERRORS as error:
                self._places.release()
                log.warning("webhooks.pull_failed", error=str(error) or type(error).__name__)
                with suppress(*BROKER_ERRORS):  # the stream may have been deleted
                    await self._declare_consumer()
            await asyncio.sleep(BROKER_PAUSE_SECONDS)

    def _start(self, message: Msg, attempts: Attempts) -> None:
        sending = asyncio.create_task(self._handle(message, attempts))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)
        sending.add_done_callback(lambda _: self._places.release())

    async def _handle(self, message: Msg, attempts: Attempts) -> None:
        job_id, receiver = message.subject.split(".")[2:4]
        try:
            delivery = event.WebhookDelivery.FromString(message.data)
        except DecodeError:
            delivery = event.WebhookDelivery()
        if (delivery.job_id, delivery.receiver) != (job_id, receiver):
            place = message.metadata.sequence.stream
            await dead_letter(self._broker, Unreadable(kind="webhook", job_id=job_id, place=place))
            await message.term()
            return
        host = _host(delivery.url)
        with structlog.contextvars.bound_contextvars(
            job=delivery.job_id, tenant=delivery.tenant, receiver=delivery.receiver, host=host
        ):
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
            attempt = await attempts.make(delivery)
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
            log.info("webhook.delivered", event_id=delivery.event_id)
            await self._finish(message)
        elif attempt.outcome is Outcome.DROPPED:
            log.info("webhook.dropped", reason=reason)
            await self._finish(message)
        elif attempt.error and (attempt.outcome is Outcome.GIVEN_UP or self._is_over(message)):
            await self._give_up(delivery, message, attempt.error)
        else:
            delay = self._delay(message)
            log.warning("webhook.failed", reason=reason, retry_seconds=round(delay, 1))
            await message.nak(delay=delay)

    async def _give_up(
        self, delivery: event.WebhookDelivery, message: Msg, error: StageError
    ) -> None:
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


def _host(url: str) -> str:
    """The host and port of a URL, the only parts that may be logged."""
    try:
        parsed = URL(url)
        return f"{parsed.host}:{parsed.port}"
    except ValueError:
        return ""
