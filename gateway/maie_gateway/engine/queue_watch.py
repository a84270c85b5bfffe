"""Reads the queues now and then, for metrics: a scrape must not wait for the broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import structlog
from opentelemetry.metrics import CallbackOptions, Meter, Observation

from maie_core.errors import StageError
from maie_gateway.engine.queues import Queue, Queues, count_dead_letters, read_queues
from maie_runtime.bus.broker import Broker

log = structlog.get_logger()

READ_SECONDS = 5.0
# What is older is not reported: it may long be wrong.
STALE_SECONDS = 30.0
_AGGREGATION = "Every gateway reports it for the whole mesh: aggregate with max, not sum."


@dataclass(kw_only=True, frozen=True, slots=True)
class _Seen:
    queues: Queues = field(default_factory=dict)
    dead_letters: int = 0
    at: float = 0.0


class QueueWatch:
    """Makes the gauges of queues and dead letters.

    Args:
        meter: Makes the gauges.
        broker: The broker.
    """

    def __init__(self, meter: Meter, broker: Broker) -> None:
        self._broker = broker
        self._seen = _Seen(at=-STALE_SECONDS)
        gauge = meter.create_observable_gauge
        gauge(
            "maie.queue.units",
            [self._units],
            unit="{unit}",
            description="Units in the queues, by stage, lane and state: `queued` ones wait for a "
            "worker, `running` ones have one, or were given back for later. " + _AGGREGATION,
        )
        gauge(
            "maie.queue.oldest.age",
            [self._oldest],
            unit="s",
            description="How long the oldest queued unit waits, by stage and lane; 0 where none "
            "does. " + _AGGREGATION,
        )
        gauge(
            "maie.dead_letters.stored",
            [self._letters],
            unit="{letter}",
            description="Dead letters that nobody replayed or removed. " + _AGGREGATION,
        )

    async def run(self) -> None:
        """Reads for ever."""
        while True:
            try:
                await self._read()
            except StageError as error:
                log.debug("metrics.queues_not_read", error=str(error))
            await asyncio.sleep(READ_SECONDS)

    async def _read(self) -> None:
        queues = await read_queues(self._broker)
        count = await count_dead_letters(self._broker)
        self._seen = _Seen(queues=queues, dead_letters=count, at=time.monotonic())

    def _fresh(self) -> _Seen | None:
        seen = self._seen
        is_fresh = self._broker.connected and time.monotonic() - seen.at < STALE_SECONDS
        return seen if is_fresh else None

    def _each(self) -> Iterator[tuple[dict[str, str], Queue]]:
        if (seen := self._fresh()) is not None:
            for (slug, lane), queue in seen.queues.items():
                yield {"stage": slug, "lane": lane}, queue

    def _units(self, _: CallbackOptions) -> Iterator[Observation]:
        for labels, queue in self._each():
            yield Observation(queue.queued, {**labels, "state": "queued"})
            yield Observation(queue.running, {**labels, "state": "running"})

    def _oldest(self, _: CallbackOptions) -> Iterator[Observation]:
        for labels, queue in self._each():
            yield Observation(queue.oldest_seconds or 0.0, labels)

    def _letters(self, _: CallbackOptions) -> Iterator[Observation]:
        if (seen := self._fresh()) is not None:
            yield Observation(seen.dead_letters)
