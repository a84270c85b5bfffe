"""The connection to NATS JetStream and the streams that the mesh lives on."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from google.protobuf.message import Message
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import KeyValueConfig, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, BadRequestError, BucketNotFoundError
from nats.js.kv import KeyValue
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

from maie_runtime import subjects
from maie_runtime.errors import Code, StageError
from maie_runtime.reasons import Reason

log = structlog.get_logger()

BROKER_ERRORS = (NatsError, APIError, OSError)
CONNECT_TIMEOUT_SECONDS = 2
RECONNECT_WAIT_SECONDS = 1
REQUEST_TIMEOUT_SECONDS = 5.0
# Longer than a broker that freezes for half a minute is away; a result in hand waits longer still.
PUBLISH_GIVE_UP_SECONDS = 60.0
RETRY_AFTER = timedelta(seconds=5)
DUPLICATE_WINDOW_SECONDS = 600
EVENTS_KEPT_SECONDS = 7 * 24 * 3600
DEAD_LETTERS_KEPT_SECONDS = 30 * 24 * 3600
# Far longer than a gateway tries; only a mesh without gateways lets one lapse.
WEBHOOKS_KEPT_SECONDS = 30 * 24 * 3600
# Far longer than a unit goes from worker to worker.
RETURNS_KEPT_SECONDS = 30 * 24 * 3600
REQUESTS_KEPT_SECONDS = 7 * 24 * 3600
WORKER_FORGOTTEN_SECONDS = 60
# A service that holds a shared GPU and dies keeps it from the others for so long.
GPU_FORGOTTEN_SECONDS = 10

STREAMS = (
    StreamConfig(
        name=subjects.TASKS,
        description="Units of work that wait for a worker",
        subjects=["maie.task.>"],
        retention=RetentionPolicy.WORK_QUEUE,
        storage=StorageType.FILE,
        duplicate_window=DUPLICATE_WINDOW_SECONDS,
        # Workers have no other right to read it.
        allow_direct=True,
    ),
    StreamConfig(
        name=subjects.EVENTS,
        description="What happened to units of work",
        subjects=["maie.event.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        max_age=EVENTS_KEPT_SECONDS,
        duplicate_window=DUPLICATE_WINDOW_SECONDS,
    ),
    StreamConfig(
        name=subjects.DEAD_LETTERS,
        description="Units of work that were given up",
        subjects=["maie.dead.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        max_age=DEAD_LETTERS_KEPT_SECONDS,
        duplicate_window=DUPLICATE_WINDOW_SECONDS,
    ),
    StreamConfig(
        name=subjects.WEBHOOKS,
        description="What receivers are to be told of finished jobs",
        subjects=["maie.webhook.>"],
        retention=RetentionPolicy.WORK_QUEUE,
        storage=StorageType.FILE,
        max_age=WEBHOOKS_KEPT_SECONDS,
        duplicate_window=DUPLICATE_WINDOW_SECONDS,
    ),
    StreamConfig(
        name=subjects.RETURNS,
        description="Deliveries of units that workers gave back in order",
        subjects=["maie.return.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        max_age=RETURNS_KEPT_SECONDS,
        max_msgs_per_subject=1,
        duplicate_window=DUPLICATE_WINDOW_SECONDS,
        # Workers have no other right to read it.
        allow_direct=True,
    ),
    StreamConfig(
        name=subjects.NAMES,
        description="What clients call their jobs",
        subjects=[subjects.names("*")],
        # What a limit removes stays on the disk; so each message goes by being erased.
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        duplicate_window=DUPLICATE_WINDOW_SECONDS,
    ),
)
BUCKETS = (
    KeyValueConfig(
        bucket=subjects.JOBS,
        description="What is known of each job",
        storage=StorageType.FILE,
    ),
    KeyValueConfig(
        bucket=subjects.REQUESTS,
        description="Which job a client's request id stands for",
        storage=StorageType.FILE,
        ttl=REQUESTS_KEPT_SECONDS,
    ),
    KeyValueConfig(
        bucket=subjects.WORKERS,
        description="Workers that are alive",
        # In memory, the bucket itself would be gone after a restart of the server.
        storage=StorageType.FILE,
        ttl=WORKER_FORGOTTEN_SECONDS,
    ),
    KeyValueConfig(
        bucket=subjects.GPUS,
        description="Services that hold a shared GPU or wait for it",
        storage=StorageType.FILE,
        ttl=GPU_FORGOTTEN_SECONDS,
    ),
)


@dataclass(kw_only=True, frozen=True, slots=True)
class Lifetimes:
    """How long what is in the broker is kept, in seconds.

    Attributes:
        events: What happened to units.
        dead_letters: Units and deliveries that were given up.
        requests: Which job a client's request id stands for.
    """

    events: float = EVENTS_KEPT_SECONDS
    dead_letters: float = DEAD_LETTERS_KEPT_SECONDS
    requests: float = REQUESTS_KEPT_SECONDS

    def of_streams(self) -> dict[str, float]:
        """The lifetimes by the name of the stream."""
        return {
            subjects.EVENTS: self.events,
            subjects.DEAD_LETTERS: self.dead_letters,
            subjects.bucket_stream(subjects.REQUESTS): self.requests,
        }


@dataclass(kw_only=True, frozen=True, slots=True)
class Pings:
    """How soon a connection to a server that froze is given up.

    Attributes:
        interval_seconds: The time between two pings.
        outstanding: How many may be unanswered.
    """

    interval_seconds: int = 10
    outstanding: int = 2


def broker_unavailable() -> StageError:
    """What callers hear while NATS is away."""
    return StageError(
        Code.UNAVAILABLE,
        Reason.BROKER_UNAVAILABLE,
        "The message broker does not answer; try again in a few seconds.",
        retry_after=RETRY_AFTER,
    )


class Broker:
    """NATS with the mesh's streams in place.

    Attributes:
        client: The connection; it reconnects for ever.
        jetstream: JetStream over that connection.
        jobs: The bucket of job records.
        requests: The bucket of request ids.
        workers: The bucket of live workers.
        gpus: The bucket of shared GPUs.
    """

    def __init__(self, client: Client, jetstream: JetStreamContext) -> None:
        self.client = client
        self.jetstream = jetstream
        self.jobs: KeyValue
        self.requests: KeyValue
        self.workers: KeyValue
        self.gpus: KeyValue
        self._reconnect_listeners: set[Callable[[], None]] = set()

    @contextmanager
    def subscribe_reconnects(self, listener: Callable[[], None]) -> Iterator[None]:
        """Calls `listener` after each new connection while the context lasts.

        A watch of a bucket does not outlive its server, and finds out by itself
        only after some twenty seconds of silence.
        """
        self._reconnect_listeners.add(listener)
        try:
            yield
        finally:
            self._reconnect_listeners.discard(listener)

    async def note_reconnect(self) -> None:
        """Tells who listens for reconnects."""
        log.info("broker.reconnected")
        for listener in tuple(self._reconnect_listeners):
            listener()

    @property
    def connected(self) -> bool:
        """Whether the server answers right now."""
        return self.client.is_connected

    async def provision(self, lifetimes: Lifetimes | None = None) -> None:
        """Creates what is missing and brings what is there up to date.

        Args:
            lifetimes: How long things are kept. None leaves that as it is, or
                at the defaults for what is created.
        """
        for stream in STREAMS:
            try:
                await self.jetstream.add_stream(stream)
            except BadRequestError:
                there = await self.jetstream.stream_info(stream.name or "")
                await self.jetstream.update_stream(
                    stream.evolve(
                        max_age=there.config.max_age, duplicate_window=there.config.duplicate_window
                    )
                )
        self.jobs, self.requests, self.workers, self.gpus = [
            await self._bucket(bucket) for bucket in BUCKETS
        ]
        if lifetimes is not None:
            await self._keep(lifetimes)

    async def _keep(self, lifetimes: Lifetimes) -> None:
        for name, seconds in lifetimes.of_streams().items():
            there = (await self.jetstream.stream_info(name)).config
            # The server refuses a window that is longer than the messages live.
            window = min(DUPLICATE_WINDOW_SECONDS, seconds)
            if (there.max_age, there.duplicate_window) != (seconds, window):
                await self.jetstream.update_stream(
                    there.evolve(max_age=seconds, duplicate_window=window)
                )

    async def _bucket(self, config: KeyValueConfig) -> KeyValue:
        try:
            return await self.jetstream.key_value(config.bucket)
        except BucketNotFoundError:
            return await self.jetstream.create_key_value(config)

    async def publish(
        self,
        subject: str,
        message: Message,
        *,
        message_id: str,
        give_up_seconds: float = PUBLISH_GIVE_UP_SECONDS,
    ) -> None:
        """Publishes durably, again and again under the same id until it is stored.

        Raises:
            StageError: UNAVAILABLE with BROKER_UNAVAILABLE when the broker was
                away for `give_up_seconds`.
        """
        data = message.SerializeToString()
        started = time.monotonic()
        try:
            await self._store(subject, data, message_id)
        except BROKER_ERRORS as error:
            left = give_up_seconds - (time.monotonic() - started)
            if left <= 0:
                raise broker_unavailable() from error
            await self._store_in_time(subject, data, message_id, left)

    async def _store(self, subject: str, data: bytes, message_id: str) -> None:
        await self.jetstream.publish(
            subject, data, timeout=REQUEST_TIMEOUT_SECONDS, headers={"Nats-Msg-Id": message_id}
        )

    async def _store_in_time(
        self, subject: str, data: bytes, message_id: str, give_up_seconds: float
    ) -> None:
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(BROKER_ERRORS),
                stop=stop_after_delay(give_up_seconds),
                wait=wait_random_exponential(multiplier=0.1, max=2),
                reraise=True,
            ):
                with attempt:
                    await self._store(subject, data, message_id)
        except BROKER_ERRORS as error:
            raise broker_unavailable() from error

    async def tell(self, subject: str, message: Message | None = None) -> None:
        """Tells whoever listens right now; stored nowhere."""
        if self.connected:
            await self.client.publish(subject, message.SerializeToString() if message else b"")


async def _on_disconnected() -> None:
    log.warning("broker.disconnected")


@asynccontextmanager
async def open_broker(
    url: str, name: str, pings: Pings = Pings(), lifetimes: Lifetimes | None = None
) -> AsyncIterator[Broker]:
    """Connects, for as long as it takes, and provisions the streams.

    Args:
        url: One or more server addresses, separated by commas.
        name: What the connection is called in the server's own lists.
        pings: How a frozen server is noticed.
        lifetimes: How long things are kept; as it was where None.
    """
    client = Client()
    broker = Broker(client, client.jetstream(timeout=REQUEST_TIMEOUT_SECONDS))
    servers = url.split(",")

    async def on_error(error: Exception) -> None:
        problem = str(error) or type(error).__name__
        if client.is_connected:
            log.warning("broker.error", error=problem)
        else:
            log.warning("broker.waiting", servers=_addresses(servers), error=problem)

    await client.connect(
        servers=servers,
        name=name,
        error_cb=on_error,
        disconnected_cb=_on_disconnected,
        reconnected_cb=broker.note_reconnect,
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        max_reconnect_attempts=-1,
        reconnect_time_wait=RECONNECT_WAIT_SECONDS,
        ping_interval=pings.interval_seconds,
        max_outstanding_pings=pings.outstanding,
    )
    try:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type((NatsError, OSError)),
            wait=wait_random_exponential(multiplier=0.2, max=3),
        ):
            with attempt:
                await broker.provision(lifetimes)
        yield broker
    finally:
        await _close(client)


def _addresses(servers: Sequence[str]) -> list[str]:
    """The servers without their passwords."""
    return [server.rpartition("@")[2].rpartition("//")[2] for server in servers]


async def _close(client: Client) -> None:
    try:
        if client.is_connected:
            await client.drain()
        else:
            await client.close()
    except (NatsError, OSError) as error:
        log.warning("broker.close_failed", error=str(error))
