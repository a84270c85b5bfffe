"""Who gets the finals of a session."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from maie.job.v1 import job_pb2 as job
from maie.live.v1 import session_pb2 as session
from maie_core.caller import DEFAULT_TENANT
from maie_gateway.webhooks.deliveries import TenantWebhooks, receivers
from maie_runtime.bus.session_log import SessionLog

# Each final of a session needs it, so it is kept for the sessions that had finals last.
REMEMBERED_SESSIONS = 1000


@dataclass(kw_only=True, frozen=True, slots=True)
class Audience:
    """Who gets the finals of a session.

    Attributes:
        tenant: The session's tenant.
        urls: The URLs of the receivers, by receiver.
    """

    tenant: str
    urls: Mapping[str, str]


class Audiences:
    """Finds the receivers of sessions in their logs and in the settings.

    Args:
        logs: The logs of sessions.
        tenants: The receivers of all jobs of a tenant.
    """

    def __init__(self, logs: SessionLog, tenants: TenantWebhooks) -> None:
        self._logs = logs
        self._tenants = tenants
        self._known: OrderedDict[str, Audience] = OrderedDict()

    async def of(self, session_id: str) -> Audience | None:
        """Who gets the finals of a session; None where there is no such session.

        Raises:
            StageError: As SessionLog.
        """
        if (known := self._known.get(session_id)) is not None:
            self._known.move_to_end(session_id)
            return known
        first = await self._logs.first(session_id)
        if first is None or not first.entry.HasField("opened"):
            return None  # erased, or being erased
        self._known[session_id] = found = self._audience(first.entry.opened)
        if len(self._known) > REMEMBERED_SESSIONS:
            self._known.popitem(last=False)
        return found

    def _audience(self, opened: session.SessionOpened) -> Audience:
        tenant = opened.tenant or DEFAULT_TENANT
        own, of_tenant = opened.config.job.webhooks, self._tenants.get(tenant, ())
        urls = receivers(own, of_tenant, job.WEBHOOK_EVENT_LIVE_FINAL)
        return Audience(tenant=tenant, urls=dict(urls))
