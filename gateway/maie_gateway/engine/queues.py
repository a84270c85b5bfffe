"""The queues of units: how many wait and run, and how long the oldest waits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker, broker_unavailable
from maie_runtime.bus.errors import NotFoundError
from maie_runtime.bus.subjects import LANES


@dataclass(kw_only=True, frozen=True, slots=True)
class Queue:
    """The queue of one stage and lane.

    Attributes:
        queued: The units that no worker took yet.
        running: The units that workers have, and those that they gave back for later.
        oldest_seconds: How long the oldest queued unit waits; None where none does.
    """

    queued: int = 0
    running: int = 0
    oldest_seconds: float | None = None


Queues = Mapping[tuple[str, str], Queue]
"""The queues, by the slug of the stage and the lane."""


async def read_queues(broker: Broker) -> Queues:
    """Reads all queues from the broker.

    Raises:
        StageError: UNAVAILABLE with BROKER_UNAVAILABLE.
    """
    places = [(slug, lane) for slug in BINDINGS for lane in LANES]
    try:
        found = await asyncio.gather(*(_read(broker, *place) for place in places))
    except BROKER_ERRORS as error:
        raise broker_unavailable(error) from error
    return dict(zip(places, found, strict=True))


async def count_dead_letters(broker: Broker) -> int:
    """How many dead letters nobody replayed or removed.

    Raises:
        StageError: UNAVAILABLE with BROKER_UNAVAILABLE.
    """
    try:
        info = await broker.jetstream.stream_info(subjects.DEAD_LETTERS)
    except BROKER_ERRORS as error:
        raise broker_unavailable(error) from error
    return info.state.messages


async def _read(broker: Broker, slug: str, lane: str) -> Queue:
    try:
        info = await broker.jetstream.consumer_info(
            subjects.TASKS, subjects.worker_consumer(slug, lane)
        )
    except NotFoundError:  # no worker of the stage has started yet
        return Queue()
    queued, running = info.num_pending or 0, info.num_ack_pending or 0
    last = info.delivered.stream_seq if info.delivered else 0
    oldest = await _waits(broker, slug, lane, last + 1) if queued else None
    return Queue(queued=queued, running=running, oldest_seconds=oldest)


async def _waits(broker: Broker, slug: str, lane: str, first: int) -> float | None:
    """How long the oldest unit that was never delivered waits, by the broker's clock and ours."""
    try:
        message = await broker.jetstream.get_msg(
            subjects.TASKS, seq=first, subject=subjects.tasks_of_stage(slug, lane), next=True
        )
    except NotFoundError:  # it was taken meanwhile
        return None
    if message.time is None:
        return None
    return max(0.0, (datetime.now(UTC) - message.time).total_seconds())
