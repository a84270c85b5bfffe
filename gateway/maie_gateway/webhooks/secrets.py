"""Finds the secrets of receivers; queued deliveries do not contain them."""

from __future__ import annotations

from maie.event.v1 import event_pb2 as event
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.conductor.tenants import tenant_of_record
from maie_gateway.records.store import JobStore
from maie_gateway.webhooks.deliveries import TENANT_PREFIX, TenantWebhooks


class Secrets:
    """Finds the secret of a delivery's receiver."""

    def __init__(self, store: JobStore, tenants: TenantWebhooks) -> None:
        self._store = store
        self._tenants = tenants

    async def find(self, delivery: event.WebhookDelivery) -> str:
        """Reads the job's stored secrets, or the settings for a tenant's receiver.

        Raises:
            StageError: NOT_FOUND with JOB_NOT_FOUND where the job was deleted,
                FAILED_PRECONDITION with WEBHOOK_UNKNOWN, or UNAVAILABLE.
        """
        stored = (await self._store.get(delivery.job_id)).record
        if delivery.receiver.startswith(TENANT_PREFIX):
            name = delivery.receiver.removeprefix(TENANT_PREFIX)
            for hook in self._tenants.get(tenant_of_record(stored), ()):
                if hook.name == name:
                    return hook.secret.get_secret_value()
        elif delivery.receiver.isdecimal():
            secrets = await self._store.webhook_secrets(stored)
            place = int(delivery.receiver)
            if place < len(secrets) and secrets[place]:
                return secrets[place]
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.WEBHOOK_UNKNOWN,
            f"The receiver {delivery.receiver} is not configured any more; give all gateways the "
            "same MAIE_WEBHOOKS_TENANTS and replay this dead letter.",
        )
