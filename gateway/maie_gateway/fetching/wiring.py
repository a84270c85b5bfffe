"""Wires the parts that fetch recordings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from opentelemetry.trace import Tracer

from maie_core.limits import MAX_RECORDING_URL_CHARACTERS
from maie_gateway.egress.guard import open_guard
from maie_gateway.fetching.fetches import Fetches
from maie_gateway.fetching.settings import FetchSettings
from maie_gateway.fetching.source import Sources
from maie_gateway.intake.pace import UploadLimits
from maie_gateway.intake.submission import Submissions
from maie_gateway.records.store import JobStore


@asynccontextmanager
async def open_fetches(
    *,
    settings: FetchSettings,
    store: JobStore,
    submissions: Submissions,
    limits: UploadLimits,
    tracer: Tracer,
) -> AsyncIterator[Fetches]:
    """Fetches recordings as long as the context lasts.

    Args:
        settings: Whether, and from where.
        store: The job records.
        submissions: Makes the jobs.
        limits: The limits on one upload.
        tracer: Makes a span of each request.
    """
    with open_guard(settings.allowed_networks, MAX_RECORDING_URL_CHARACTERS) as guard:
        async with Sources.opened(guard, settings.connect_seconds, tracer) as sources:
            yield Fetches(
                enabled=settings.enabled,
                sources=sources,
                store=store,
                submissions=submissions,
                max_bytes=limits.max_bytes,
            )
