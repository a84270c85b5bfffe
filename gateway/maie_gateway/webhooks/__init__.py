"""Notifies receivers of finished jobs and of live finals, by signed CloudEvents over HTTP."""

from __future__ import annotations

from maie_gateway.webhooks.admission import check_webhooks
from maie_gateway.webhooks.deliveries import TenantWebhooks, deliveries
from maie_gateway.webhooks.queue import publish_deliveries, replay
from maie_gateway.webhooks.reconciler import WebhookReconciler
from maie_gateway.webhooks.sender import WebhookSender
from maie_gateway.webhooks.settings import TenantWebhook, WebhookSettings
from maie_gateway.webhooks.wiring import Webhooks, open_webhooks

__all__ = [
    "TenantWebhook",
    "TenantWebhooks",
    "WebhookReconciler",
    "WebhookSender",
    "WebhookSettings",
    "Webhooks",
    "check_webhooks",
    "deliveries",
    "open_webhooks",
    "publish_deliveries",
    "replay",
]
