"""Wires the parts of webhooks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from opentelemetry.metrics import Meter

from maie.job.v1 import record_pb2 as record
from maie_core.metrics import NO_METER
from maie_gateway.egress.guard import UrlGuard, open_guard
from maie_gateway.records.store import JobStore
from maie_gateway.webhooks.deliveries import TenantWebhooks, deliveries
from maie_gateway.webhooks.finals.audience import Audiences
from maie_gateway.webhooks.finals.relay import FinalRelay
from maie_gateway.webhooks.finals.sender import FinalSender
from maie_gateway.webhooks.gate import receiver_breaker
from maie_gateway.webhooks.metrics import DeliveryMetrics
from maie_gateway.webhooks.queue import publish_deliveries
from maie_gateway.webhooks.reconciler import WebhookReconciler
from maie_gateway.webhooks.sender import WebhookSender
from maie_gateway.webhooks.settings import WebhookSettings
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.session_log import SessionLog


@dataclass(kw_only=True, frozen=True, slots=True)
class Webhooks:
    """What the rest of the gateway uses.

    Attributes:
        guard: Decides which URLs are allowed, for `check_webhooks`.
        reconciler: To be notified of every record (changes.Follower).
        broker: The broker.
        tenants: The receivers of all jobs of a tenant.
    """

    guard: UrlGuard
    reconciler: WebhookReconciler
    broker: Broker
    tenants: TenantWebhooks

    async def follow(self, old: record.JobRecord | None, new: record.JobRecord) -> None:
        """Queues the deliveries after a change of a record (loop.Follow).

        Raises:
            StageError: UNAVAILABLE with BROKER_UNAVAILABLE.
        """
        await publish_deliveries(self.broker, deliveries(old, new, self.tenants))


@asynccontextmanager
async def open_webhooks(
    broker: Broker, settings: WebhookSettings, meter: Meter = NO_METER
) -> AsyncIterator[Webhooks]:
    """Sends deliveries as long as the context lasts; then finishes running attempts."""
    store = JobStore(broker)
    reconciler = WebhookReconciler(broker, store, settings.tenants)
    breaker = receiver_breaker(settings)
    metrics = DeliveryMetrics(meter)
    audiences = Audiences(SessionLog(broker), settings.tenants)
    async with AsyncExitStack() as stack:
        guard = stack.enter_context(open_guard(settings.allowed_networks))
        sender = WebhookSender(broker, store, settings, guard, breaker, metrics)
        finals = FinalSender(
            broker=broker,
            store=store,
            settings=settings,
            guard=guard,
            breaker=breaker,
            audiences=audiences,
            metrics=metrics,
        )
        for part in (sender, reconciler, finals, FinalRelay(broker, audiences)):
            await stack.enter_async_context(part.running())
        yield Webhooks(guard=guard, reconciler=reconciler, broker=broker, tenants=settings.tenants)
