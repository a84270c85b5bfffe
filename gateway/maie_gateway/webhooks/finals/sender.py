"""Sends the finals that notes are about. Every gateway runs one sender."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_core.trace_context import within
from maie_gateway.egress.connections import host_of
from maie_gateway.egress.guard import UrlGuard
from maie_gateway.records.store import JobStore
from maie_gateway.webhooks.attempt import Attempts
from maie_gateway.webhooks.finals.audience import Audiences
from maie_gateway.webhooks.finals.feed import Feed
from maie_gateway.webhooks.finals.feeds import FeedMovedError, Feeds, Standing
from maie_gateway.webhooks.finals.turn import Tools, Turn
from maie_gateway.webhooks.gate import Gate
from maie_gateway.webhooks.http import open_poster
from maie_gateway.webhooks.metrics import DeliveryMetrics
from maie_gateway.webhooks.pulling import Puller, Source
from maie_gateway.webhooks.schedule import ACK_MARGIN_SECONDS, MAX_BUSY_SECONDS, retry_delay
from maie_gateway.webhooks.secrets import Secrets
from maie_gateway.webhooks.settings import WebhookSettings
from maie_runtime.breaker import CircuitBreaker
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker
from maie_runtime.bus.session_log import ErasedError, SessionLog
from maie_runtime.bus.tracing import traceparent_of_message
from maie_runtime.bus.types import Msg
from maie_runtime.bus.unreadable import Unreadable, dead_letter

log = structlog.get_logger()


class FinalSender:
    """Delivers finals at least once, and in order within a feed.

    Args:
        broker: The broker.
        store: The job records.
        settings: The settings of webhooks.
        guard: Decides which URLs are allowed.
        breaker: Knows the receivers that are down.
        audiences: Who gets finals.
        metrics: Counts attempts.
    """

    def __init__(
        self,
        *,
        broker: Broker,
        store: JobStore,
        settings: WebhookSettings,
        guard: UrlGuard,
        breaker: CircuitBreaker,
        audiences: Audiences,
        metrics: DeliveryMetrics,
    ) -> None:
        self._broker = broker
        self._settings = settings
        self._guard = guard
        self._audiences = audiences
        self._metrics = metrics
        self._secrets = Secrets(store, settings.tenants)
        self._gate = Gate(settings, breaker)
        self._feeds = Feeds(broker)
        self._stopping = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sends as long as the context lasts; then finishes running attempts."""
        settings = self._settings
        source = Source(
            stream=subjects.FINALS,
            consumer=subjects.FINAL_SENDERS,
            ack_wait_seconds=settings.timeout_seconds + ACK_MARGIN_SECONDS,
        )
        async with open_poster(self._guard, settings.timeout_seconds) as poster:
            tools = Tools(
                broker=self._broker,
                logs=SessionLog(self._broker),
                feeds=self._feeds,
                attempts=Attempts(poster, self._secrets, settings.source, self._broker.tracer),
                gate=self._gate,
                settings=settings,
                metrics=self._metrics,
                stopping=lambda: self._stopping,
            )

            async def handle(message: Msg) -> None:
                await self._handle(message, tools)

            async with Puller(self._broker, source, settings.concurrency, handle).running():
                try:
                    yield
                finally:
                    self._stopping = True

    async def _handle(self, message: Msg, tools: Tools) -> None:
        feed = Feed.of_subject(message.subject)
        if feed is None:
            await self._dead_letter(message)
            return
        ids = structlog.contextvars.bound_contextvars(
            job=feed.session_id, receiver=feed.receiver, track=feed.track
        )
        with ids, within(traceparent_of_message(message)):
            try:
                await self._take(feed, message, tools)
            except FeedMovedError:
                log.info("webhook.feed_moved")
            except ErasedError:
                await message.ack()
            except (StageError, *BROKER_ERRORS) as error:
                # The broker redelivers it after ack_wait.
                log.warning("webhook.not_settled", error=str(error) or type(error).__name__)
                if isinstance(error, StageError) and error.reason == Reason.UNREADABLE:
                    await self._dead_letter(message)

    async def _take(self, feed: Feed, message: Msg, tools: Tools) -> None:
        match await self._feeds.standing(feed, message.metadata.sequence.stream):
            case Standing.NEEDLESS:
                await message.ack()
            case Standing.WAITS:
                await message.nak(delay=self._wait(message))
            case Standing.FIRST:
                await self._begin(feed, message, tools)

    async def _begin(self, feed: Feed, message: Msg, tools: Tools) -> None:
        audience = await self._audiences.of(feed.session_id)
        if audience is None:
            await message.ack()  # the session was removed
            return
        with structlog.contextvars.bound_contextvars(
            tenant=audience.tenant, host=host_of(audience.urls.get(feed.receiver, ""))
        ):
            await Turn(feed, message, audience, tools).run()

    async def _dead_letter(self, message: Msg) -> None:
        """Gives up a note that no gateway wrote, or that is about a log that cannot be read."""
        session_id = message.subject.split(".")[2]
        place = message.metadata.sequence.stream
        await dead_letter(self._broker, Unreadable(kind="final", job_id=session_id, place=place))
        await message.term()

    def _wait(self, message: Msg) -> float:
        """How long a note rests while another one holds its feed, in seconds."""
        age = max(0.0, time.time() - message.metadata.timestamp.timestamp())
        shortest = self._settings.retry_min_seconds
        return retry_delay(age, shortest=shortest, longest=MAX_BUSY_SECONDS)
