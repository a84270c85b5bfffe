"""Which events a receiver gets."""

from __future__ import annotations

from collections.abc import Iterable

from maie.job.v1 import job_pb2 as job

KNOWN = frozenset({job.WEBHOOK_EVENT_JOB_FINISHED, job.WEBHOOK_EVENT_LIVE_FINAL})
NAMES = {
    "job_finished": job.WEBHOOK_EVENT_JOB_FINISHED,
    "live_final": job.WEBHOOK_EVENT_LIVE_FINAL,
}
"""The events by their names in the settings."""


def gets(wanted: Iterable[job.WebhookEvent], event: job.WebhookEvent) -> bool:
    """Whether a receiver gets an event.

    Args:
        wanted: What its webhook names; where it names nothing, it gets finished jobs.
        event: The event.
    """
    return event in (tuple(wanted) or (job.WEBHOOK_EVENT_JOB_FINISHED,))
