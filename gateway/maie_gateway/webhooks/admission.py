"""Validates the webhooks of a submit."""

from __future__ import annotations

import asyncio

from maie.job.v1 import job_pb2 as job
from maie_core.errors import StageError, invalid
from maie_core.limits import (
    MAX_SECRET_CHARACTERS,
    MAX_WEBHOOKS,
    MIN_SECRET_CHARACTERS,
)
from maie_core.reasons import Reason
from maie_gateway.egress.guard import UrlGuard
from maie_gateway.webhooks.events import KNOWN
from maie_gateway.webhooks.signatures import standard_key

RESOLVE_SECONDS = 5.0


async def check_webhooks(config: job.JobConfig, guard: UrlGuard) -> None:
    """Refuses a config with webhooks that cannot, or must not, be notified.

    Raises:
        StageError: INVALID_ARGUMENT with WEBHOOK_INVALID or URI_NOT_ALLOWED,
            naming the invalid field.
    """
    if len(config.webhooks) > MAX_WEBHOOKS:
        raise invalid(
            Reason.WEBHOOK_INVALID,
            f"A job has at most {MAX_WEBHOOKS} webhooks; name fewer.",
            field="config.webhooks",
        )
    for place, webhook in enumerate(config.webhooks):
        field = f"config.webhooks[{place}]"
        _check_secret(webhook.secret, f"{field}.secret")
        if not KNOWN.issuperset(webhook.events):
            raise invalid(
                Reason.WEBHOOK_INVALID,
                "A webhook names an unknown event; leave `events` empty for finished jobs.",
                field=f"{field}.events",
            )
        await _check_url(webhook.url, guard, f"{field}.url")


def _check_secret(secret: str, field: str) -> None:
    if not MIN_SECRET_CHARACTERS <= len(secret) <= MAX_SECRET_CHARACTERS:
        raise invalid(
            Reason.WEBHOOK_INVALID,
            f"A webhook's secret has {MIN_SECRET_CHARACTERS} to {MAX_SECRET_CHARACTERS} "
            "characters; make a random one.",
            field=field,
        )
    standard_key(secret, field=field)


async def _check_url(url: str, guard: UrlGuard, field: str) -> None:
    try:
        parsed = guard.parse(url)
        async with asyncio.timeout(RESOLVE_SECONDS):
            await guard.addresses(parsed.host or "", parsed.port or 0)
    except StageError as error:
        raise invalid(error.reason, error.message, field=field) from error
    except (OSError, UnicodeError) as error:
        raise invalid(
            Reason.URI_NOT_ALLOWED,
            "The webhook's host name does not resolve; correct it.",
            field=field,
        ) from error
