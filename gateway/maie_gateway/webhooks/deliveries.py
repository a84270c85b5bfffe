"""The deliveries for a job that became final. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.conductor import FINAL_STATES, failures
from maie_gateway.conductor.tenants import tenant_of_record
from maie_gateway.webhooks.events import gets
from maie_gateway.webhooks.settings import TenantWebhook

# The broker's messages are bounded; a receiver gets all failures from the job.
MAX_FAILURES = 20
TENANT_PREFIX = "tenant-"

TenantWebhooks = Mapping[str, Sequence[TenantWebhook]]


def deliveries(
    old: record.JobRecord | None, new: record.JobRecord, tenant_webhooks: TenantWebhooks
) -> list[event.WebhookDelivery]:
    """The deliveries to publish after a job's record changed.

    Args:
        old: The record before; None where it is unknown which deliveries were
            published: then all are returned, with the same ids as before.
        new: The record now.
        tenant_webhooks: The receivers of all jobs of a tenant, by tenant.

    Returns:
        One delivery for each receiver of finished jobs where the job became final;
        otherwise none. A retried job that becomes final again has new deliveries.
    """
    sequence = _final_sequence(new)
    if not sequence or (old is not None and _final_sequence(old) == sequence):
        return []
    state = job.JobState.Name(new.state)
    unaddressed = event.WebhookDelivery(
        job_id=new.job_id,
        tenant=new.tenant,
        event_id=f"{new.job_id}/{state}/{sequence}",
        state=state,
        finish_time=new.log[sequence - 1].event_time,
        display_name=new.display_name,
        labels=new.labels,
        failures=islice(failures(new), MAX_FAILURES),
        attempt=1,
    )
    addresses = receivers(
        new.config.webhooks,
        tenant_webhooks.get(tenant_of_record(new), ()),
        job.WEBHOOK_EVENT_JOB_FINISHED,
    )
    return [_to(unaddressed, *address) for address in addresses]


def receivers(
    own: Sequence[job.Webhook], tenants: Sequence[TenantWebhook], wanted: job.WebhookEvent
) -> Iterator[tuple[str, str]]:
    """The receivers of an event, with their URLs.

    Args:
        own: The job's own webhooks.
        tenants: Those of its tenant.
        wanted: The event.
    """
    for place, webhook in enumerate(own):
        if gets(webhook.events, wanted):
            yield str(place), webhook.url
    for hook in tenants:
        if gets(hook.wanted, wanted):
            yield TENANT_PREFIX + hook.name, hook.url


def delivery_id(delivery: event.WebhookDelivery) -> str:
    """The delivery's message id (`Nats-Msg-Id`): JOB/STATE/SEQUENCE/RECEIVER/ATTEMPT."""
    return f"{delivery.event_id}/{delivery.receiver}/{delivery.attempt}"


def _final_sequence(source: record.JobRecord) -> int:
    """The index, from 1, of the log entry with which the job became final; otherwise 0."""
    if source.state not in FINAL_STATES:
        return 0
    entries = enumerate(source.log, start=1)
    return max((place for place, entry in entries if entry.HasField("state_changed")), default=0)


def _to(unaddressed: event.WebhookDelivery, receiver: str, url: str) -> event.WebhookDelivery:
    delivery = event.WebhookDelivery()
    delivery.CopyFrom(unaddressed)
    delivery.receiver, delivery.url = receiver, url
    return delivery
