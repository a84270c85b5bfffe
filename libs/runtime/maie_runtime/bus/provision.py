"""Creates the streams, buckets and consumers of a mesh, and reports those that differ.

Gateways and `maie provision` do it. Workers have no right to.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from nats.js.api import AckPolicy, ConsumerConfig, StreamConfig
from nats.js.errors import APIError, NotFoundError
from opentelemetry.metrics import Meter
from opentelemetry.trace import Tracer
from tenacity import AsyncRetrying, retry_if_exception, wait_random_exponential

from maie_core.errors import Code, StageError
from maie_core.metrics import NO_METER
from maie_core.reasons import Reason
from maie_core.settings import ACK_WAIT_SECONDS
from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker, may_pass, open_broker
from maie_runtime.bus.credentials import NO_CREDENTIALS, Credentials
from maie_runtime.bus.refusals import RefusedError, broker_refused
from maie_runtime.bus.streams import DUPLICATE_WINDOW_SECONDS, STREAMS, Lifetimes

log = structlog.get_logger()

# The fields that a mesh relies on. Operators decide the rest: replicas, placement, limits,
# compression.
FIELDS = (
    "subjects",
    "retention",
    "storage",
    "discard",
    "max_msgs_per_subject",
    "allow_direct",
    "allow_msg_ttl",
    "allow_rollup_hdrs",
    "deny_delete",
    "deny_purge",
)
# The server's error code for a change that a stream does not allow.
INVALID_CONFIG = 10052
# And for several copies of a stream where there is one server.
NO_REPLICAS = 10074
# For all workers of a stage together.
MAX_ACK_PENDING = 4096


@dataclass(kw_only=True, frozen=True, slots=True)
class Difference:
    """A field of a stream's configuration that differs from the wanted one.

    Attributes:
        stream: The stream's name.
        field: The field.
        there: The value that it has.
        wanted: The value that it should have.
    """

    stream: str
    field: str
    there: Any
    wanted: Any

    def __str__(self) -> str:
        # The server leaves out what is false.
        there = bool(self.there) if isinstance(self.wanted, bool) else self.there
        return f"{self.stream}: {self.field} is {_plain(there)}, not {_plain(self.wanted)}"


@dataclass(kw_only=True, frozen=True, slots=True)
class Wanted:
    """The wanted configuration of the broker.

    Attributes:
        lifetimes: How long messages are kept. None keeps the lifetimes of existing streams, and
            creates new ones with the defaults.
        ack_wait_seconds: Redeliver a task after this long without a heartbeat.
        update: Whether to change a stream that differs, if the server allows it.
        replicas: How many servers of a cluster keep each stream. None keeps that of existing
            streams, and creates new ones with one.
    """

    lifetimes: Lifetimes | None = None
    ack_wait_seconds: float = ACK_WAIT_SECONDS
    update: bool = True
    replicas: int | None = None


@asynccontextmanager
async def open_provisioned_broker(
    url: str,
    name: str,
    wanted: Wanted = Wanted(),
    *,
    inbox: str = "_INBOX",
    meter: Meter = NO_METER,
    tracer: Tracer | None = None,
    credentials: Credentials = NO_CREDENTIALS,
    rides_out: bool = False,
) -> AsyncIterator[Broker]:
    """Connects and provisions, however long it takes.

    Raises:
        StageError: As `provision` and `open_broker`.
    """
    async with open_broker(
        url,
        name,
        inbox=inbox,
        meter=meter,
        tracer=tracer,
        credentials=credentials,
        rides_out=rides_out,
    ) as broker:
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception(may_pass),
                wait=wait_random_exponential(multiplier=0.2, max=3),
                before_sleep=_report_failure,
                reraise=True,
            ):
                with attempt:
                    await provision(broker, wanted)
        except RefusedError as error:
            raise broker_refused(error.subject) from error
        yield broker


async def provision(broker: Broker, wanted: Wanted = Wanted()) -> None:
    """Creates the streams, buckets and consumers that are missing.

    Raises:
        StageError: FAILED_PRECONDITION with STREAM_DIFFERS, which names each difference: a stream
            differs, and `update` is false or the server refused to change it.
        nats.errors.Error: The broker does not answer.
        APIError: It refused.
    """
    found: list[Difference] = []
    for stream in STREAMS:
        found += await _provision_stream(broker, stream, wanted)
        found += await _replicate(broker, stream.name or "", wanted.replicas)
    if found:
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.STREAM_DIFFERS,
            f"{'; '.join(map(str, found))}. Change or remove the stream, or give each mesh a NATS "
            "account of its own.",
        )
    for slug in BINDINGS:
        await declare_lanes(broker, slug, wanted.ack_wait_seconds)


async def declare_lanes(broker: Broker, slug: str, ack_wait_seconds: float) -> None:
    """Creates the durable consumers that a stage's workers share, or updates them."""
    for lane in subjects.LANES:
        await broker.jetstream.add_consumer(
            subjects.TASKS,
            ConsumerConfig(
                durable_name=subjects.worker_consumer(slug, lane),
                filter_subject=subjects.tasks_of_stage(slug, lane),
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=ack_wait_seconds,
                # The worker counts deliveries, and reports why it gives a unit up.
                max_deliver=-1,
                max_ack_pending=MAX_ACK_PENDING,
            ),
        )


async def is_provisioned(broker: Broker) -> bool:
    """Whether all streams and consumers exist and none differs."""
    try:
        for stream in STREAMS:
            there = (await broker.jetstream.stream_info(stream.name or "")).config
            if differences(there, stream):
                return False
        for slug in BINDINGS:
            for lane in subjects.LANES:
                consumer = subjects.worker_consumer(slug, lane)
                await broker.jetstream.consumer_info(subjects.TASKS, consumer)
    except NotFoundError:
        return False
    return True


def differences(there: StreamConfig, wanted: StreamConfig) -> list[Difference]:
    """The fields that a mesh relies on and that differ."""
    return [
        Difference(stream=wanted.name or "", field=field, there=one, wanted=other)
        for field in FIELDS
        if ((one := getattr(there, field)) or None) != ((other := getattr(wanted, field)) or None)
    ]


async def _provision_stream(
    broker: Broker, stream: StreamConfig, wanted: Wanted
) -> Sequence[Difference]:
    try:
        there = (await broker.jetstream.stream_info(stream.name or "")).config
    except NotFoundError:
        await broker.jetstream.add_stream(stream.evolve(**_lifetime(stream, stream, wanted)))
        return ()
    found = differences(there, stream)
    if found and not wanted.update:
        return found
    changed = {each.field: each.wanted for each in found} | _lifetime(stream, there, wanted)
    changed["description"] = stream.description
    if there.evolve(**changed) == there:
        return ()
    try:
        await broker.jetstream.update_stream(there.evolve(**changed))
    except APIError as error:
        if not found or error.err_code != INVALID_CONFIG:
            raise
        log.error("broker.stream_not_updated", stream=stream.name, error=error.description)
    else:
        if found:
            log.warning("broker.stream_updated", changes=[str(each) for each in found])
        found = []
    return found


async def _replicate(broker: Broker, name: str, replicas: int | None) -> Sequence[Difference]:
    """Has so many servers keep a stream."""
    there = (await broker.jetstream.stream_info(name)).config
    if replicas is None or there.num_replicas == replicas:
        return ()
    try:
        await broker.jetstream.update_stream(there.evolve(num_replicas=replicas))
    except APIError as error:
        if error.err_code != NO_REPLICAS:
            raise
        return [
            Difference(stream=name, field="num_replicas", there=there.num_replicas, wanted=replicas)
        ]
    return ()


def _lifetime(stream: StreamConfig, there: StreamConfig, wanted: Wanted) -> dict[str, Any]:
    """The changes of a stream's lifetime."""
    seconds = (wanted.lifetimes.of_streams() if wanted.lifetimes else {}).get(stream.name or "")
    if seconds is None or (not wanted.update and there is not stream):
        return {}
    # The server refuses a window that is longer than the lifetime of messages.
    return {"max_age": seconds, "duplicate_window": min(DUPLICATE_WINDOW_SECONDS, seconds)}


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)


def _report_failure(state: Any) -> None:
    error = state.outcome.exception()
    log.warning("broker.not_provisioned", error=str(error) or type(error).__name__)
