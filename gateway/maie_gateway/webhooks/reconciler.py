"""Queues deliveries that a gateway had not published when it died."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import structlog

from maie.job.v1 import record_pb2 as record
from maie_core.errors import StageError
from maie_gateway.conductor.tenants import tenant_of_record
from maie_gateway.records.about import about, about_job
from maie_gateway.records.store import GONE, JobStore
from maie_gateway.webhooks.deliveries import TenantWebhooks, deliveries
from maie_gateway.webhooks.queue import publish_deliveries
from maie_runtime.background import background_tasks
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.streams import DUPLICATE_WINDOW_SECONDS

log = structlog.get_logger()

# The gateway that stored the record has published by then, or died.
SETTLED_SECONDS = 10.0
# Within its duplicate window the broker drops deliveries that are queued twice.
MAX_AGE_SECONDS = DUPLICATE_WINDOW_SECONDS - 60.0


class _Ended(NamedTuple):
    """A job that ended.

    Attributes:
        at: When that was noted, by the monotonic clock.
        tenant: Whose it is.
        traceparent: Its trace.
    """

    at: float
    tenant: str
    traceparent: str


class WebhookReconciler:
    """Queues the deliveries of each recently ended job once more.

    If a gateway stores a job's last record and dies before it publishes the
    deliveries, the others publish them: all gateways see the record, and so does one
    that starts within `MAX_AGE_SECONDS`. The broker drops duplicates by their id.
    """

    def __init__(
        self,
        broker: Broker,
        store: JobStore,
        tenants: TenantWebhooks,
        settled_seconds: float = SETTLED_SECONDS,
    ) -> None:
        self._broker = broker
        self._store = store
        self._tenants = tenants
        self._settled_seconds = settled_seconds
        self._seen: dict[str, _Ended] = {}

    def changed(self, seen: record.JobRecord, revision: int = 0) -> None:
        """Notes a job that ended recently. Never blocks; keeps ids for some seconds only."""
        # In a replay of the bucket, most records are old.
        ended = seen.log[-1].event_time.ToNanoseconds() / 1e9 if seen.log else 0.0
        if time.time() - ended < MAX_AGE_SECONDS and deliveries(None, seen, self._tenants):
            ended_job = _Ended(time.monotonic(), tenant_of_record(seen), seen.traceparent)
            self._seen.setdefault(seen.job_id, ended_job)

    def gone(self, job_id: str, revision: int = 0) -> None:
        """Forgets a job that was deleted."""
        self._seen.pop(job_id, None)

    def replay_begun(self) -> None:
        """Does nothing: `changed` detects old records by their time."""

    def replay_ended(self) -> None:
        """Does nothing."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Queues the deliveries of noted jobs as long as the context lasts."""
        async with background_tasks(self._look_around()):
            yield

    async def _look_around(self) -> None:
        while True:
            await asyncio.sleep(self._settled_seconds / 2)
            before = time.monotonic() - self._settled_seconds
            for job_id, ended in tuple(self._seen.items()):
                if ended.at > before:
                    continue
                with about_job(job_id, ended.tenant, ended.traceparent):
                    try:
                        await self._publish(job_id)
                    except StageError as error:
                        log.warning("webhooks.not_reconciled", reason=error.reason)
                        if error.reason not in GONE:
                            break
                self._seen.pop(job_id, None)

    async def _publish(self, job_id: str) -> None:
        stored = (await self._store.get(job_id)).record
        with about(stored):
            await publish_deliveries(self._broker, deliveries(None, stored, self._tenants))
