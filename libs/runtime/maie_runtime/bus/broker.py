"""The connection to NATS JetStream."""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from google.protobuf.message import Message
from nats.errors import Error as NatsError
from nats.js.api import PubAck
from nats.js.errors import APIError, NotFoundError
from nats.js.kv import KeyValue
from opentelemetry.metrics import Meter
from opentelemetry.trace import NoOpTracer, Tracer
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_delay,
    wait_random_exponential,
)

from maie_core.errors import Code, StageError
from maie_core.metrics import NO_METER
from maie_core.reasons import Reason
from maie_core.recent_count import RecentCount
from maie_core.redaction import masked_url
from maie_runtime.bus import outages, subjects
from maie_runtime.bus.credentials import (
    NO_CREDENTIALS,
    UNPROTECTED,
    Credentials,
    unprotected,
)
from maie_runtime.bus.jetstream import MESSAGE_ID, TOKEN_BYTES, ResilientJetStream
from maie_runtime.bus.metrics import BrokerMetrics, Failed
from maie_runtime.bus.outages import ResilientClient
from maie_runtime.bus.refusals import (
    HINT,
    RefusedError,
    broker_refused,
    is_not_let_in,
    not_let_in,
    not_trusted,
)
from maie_runtime.bus.tracing import publishing
from maie_runtime.vault.vault import Vault, opened, sealed

log = structlog.get_logger()

BROKER_ERRORS = (NatsError, APIError, OSError)
CONNECT_TIMEOUT_SECONDS = 2
RECONNECT_WAIT_SECONDS = 1
REQUEST_TIMEOUT_SECONDS = 5.0
# Outlasts a broker that freezes for half a minute; a finished result waits longer still.
PUBLISH_GIVE_UP_SECONDS = 60.0
RETRY_AFTER = timedelta(seconds=5)


@dataclass(kw_only=True, frozen=True, slots=True)
class Pings:
    """When a connection to a frozen server counts as lost.

    Attributes:
        interval_seconds: The time between two pings.
        outstanding: How many may be unanswered.
    """

    interval_seconds: int = 5
    outstanding: int = 2


def broker_unavailable(cause: BaseException | None = None) -> StageError:
    """The error for callers while NATS does not answer, or refuses.

    Args:
        cause: What happened, where it is known.
    """
    if isinstance(cause, RefusedError):
        return broker_refused(cause.subject)
    return StageError(
        Code.UNAVAILABLE,
        Reason.BROKER_UNAVAILABLE,
        "The message broker does not answer; try again in a few seconds.",
        retry_after=RETRY_AFTER,
    )


def may_pass(error: BaseException) -> bool:
    """Whether an error of the broker may pass by itself, so that it is worth trying again."""
    return isinstance(error, BROKER_ERRORS) and not isinstance(error, RefusedError)


class Broker:
    """NATS, with the buckets of a mesh.

    Attributes:
        client: The connection; it reconnects without limit.
        jetstream: JetStream over that connection; it rides out outages where the connection does.
        jobs: The bucket of job records.
        requests: The bucket of request ids.
        uploads: The bucket of resumable uploads.
        secrets: The bucket of webhooks' secrets.
        keys: The bucket of API keys.
        data_keys: The bucket of the keys of jobs' encrypted data.
        templates: The bucket of tenants' templates.
        voices: The bucket of profiles of voices.
        tenants: The bucket of limits that were set for tenants.
        feeds: The bucket of how far receivers of finals are.
        workers: The bucket of live workers.
        gpus: The bucket of shared GPUs.
        tracer: Makes spans of messages.
        token: For the ids of messages to streams that other parts may publish to as well: none of
            them can guess it, and so have the broker drop a message as a duplicate of its own. All
            processes of a part have the same, so that a message of one that died comes once.
        vault: Has the keys of jobs whose data is sealed; set before anything is read.
    """

    def __init__(
        self,
        client: ResilientClient,
        jetstream: ResilientJetStream,
        meter: Meter = NO_METER,
        tracer: Tracer | None = None,
        token: str = "",
    ) -> None:
        self.tracer = tracer or NoOpTracer()
        self.client = client
        self.jetstream = jetstream
        self.jobs = _bucket(jetstream, subjects.JOBS)
        self.requests = _bucket(jetstream, subjects.REQUESTS)
        self.uploads = _bucket(jetstream, subjects.UPLOADS)
        self.secrets = _bucket(jetstream, subjects.SECRETS)
        self.keys = _bucket(jetstream, subjects.KEYS)
        self.data_keys = _bucket(jetstream, subjects.DATA_KEYS)
        self.templates = _bucket(jetstream, subjects.TEMPLATES)
        self.voices = _bucket(jetstream, subjects.VOICES)
        self.tenants = _bucket(jetstream, subjects.TENANTS)
        self.feeds = _bucket(jetstream, subjects.FEEDS)
        self.workers = _bucket(jetstream, subjects.WORKERS)
        self.gpus = _bucket(jetstream, subjects.GPUS, direct=True)
        self.token = token
        self.vault = Vault()
        self._reconnect_listeners: set[Callable[[], None]] = set()
        self._metrics = BrokerMetrics(meter, lambda: self.connected)

    @property
    def faults(self) -> RecentCount:
        """The errors of the connection within the last minutes."""
        return self._metrics.recent

    @contextmanager
    def subscribe_reconnects(self, listener: Callable[[], None]) -> Iterator[None]:
        """Calls `listener` after each new connection while the context lasts.

        A watch of a bucket ends with its server, and by itself notices that only
        after some twenty seconds without messages.
        """
        self._reconnect_listeners.add(listener)
        try:
            yield
        finally:
            self._reconnect_listeners.discard(listener)

    async def note_disconnect(self) -> None:
        """Counts a lost connection; the end of one that is closed in order is none."""
        if self.client.is_closed or self.client.is_draining:
            return
        log.warning("broker.disconnected")
        self._metrics.failed(Failed.CONNECTION)

    async def note_reconnect(self) -> None:
        """Notifies the listeners of a reconnect."""
        log.info("broker.reconnected")
        for listener in tuple(self._reconnect_listeners):
            listener()

    def note_error(self) -> None:
        """Counts an error that the client reported apart from any request."""
        self._metrics.failed(Failed.CLIENT)

    @property
    def connected(self) -> bool:
        """Whether the server answers right now."""
        return self.client.is_connected

    async def until_connected(self) -> bool:
        """Waits for a lost connection to be made again, as long as a request rides out an outage.

        Returns:
            False where it was not made in time.
        """
        if self.connected:
            return True
        again = asyncio.Event()
        with self.subscribe_reconnects(again.set), suppress(TimeoutError):
            async with asyncio.timeout(outages.RIDE_OUT_SECONDS):
                await again.wait()
        return self.connected

    @property
    def connections(self) -> int:
        """A number that is another one for each connection, before it counts as `connected`."""
        return self.client.stats["reconnects"]

    async def publish(
        self,
        subject: str,
        message: Message,
        *,
        message_id: str,
        give_up_seconds: float = PUBLISH_GIVE_UP_SECONDS,
        contested: bool = False,
    ) -> int:
        """Publishes durably: retries with the same id until the message is stored.

        It is sealed where its subject names a job with a data key.

        Args:
            subject: The subject.
            message: The message.
            message_id: The broker drops a message whose id its stream received a short while ago.
            give_up_seconds: How long to try.
            contested: Whether other parts may publish to the stream as well and can guess the id.
                Then a message that counts as a duplicate is compared with the stored one. Needs a
                gateway's rights.

        Returns:
            The message's place in its stream.

        Raises:
            StageError: UNAVAILABLE with BROKER_UNAVAILABLE when the broker stored
                nothing for `give_up_seconds`; FAILED_PRECONDITION with BROKER_REFUSED when
                this part may not publish there; or as `Vault.key`.
        """
        data = await self.sealed(subjects.job_of(subject), message.SerializeToString())
        ack = await self._publish(subject, data, message_id, give_up_seconds)
        if contested and ack.duplicate and not await self._is_of(subject, ack):
            log.error("broker.id_taken", subject=subject, place=ack.seq)
            unique = f"{message_id}/{secrets.token_hex(TOKEN_BYTES)}"
            ack = await self._publish(subject, data, unique, give_up_seconds)
        return ack.seq

    async def _is_of(self, subject: str, ack: PubAck) -> bool:
        """Whether the message that took the id was published to the same subject."""
        try:
            return (await self.jetstream.get_msg(ack.stream, ack.seq)).subject == subject
        except NotFoundError:
            return True  # it was erased since
        except BROKER_ERRORS as error:
            raise broker_unavailable(error) from error

    async def _publish(
        self, subject: str, data: bytes, message_id: str, give_up_seconds: float
    ) -> PubAck:
        started = time.monotonic()
        with publishing(self.tracer, subject) as trace:
            headers = {MESSAGE_ID: message_id, **trace}
            try:
                return await self._store(subject, data, headers)
            except BROKER_ERRORS as error:
                self._metrics.failed(Failed.PUBLISH)
                left = give_up_seconds - (time.monotonic() - started)
                if left <= 0 or isinstance(error, RefusedError):
                    raise broker_unavailable(error) from error
                return await self._store_in_time(subject, data, headers, left)

    async def sealed(self, job_id: str, data: bytes) -> bytes:
        """A message of a job as it is to be stored; see `maie_runtime.vault`."""
        return await sealed(self.vault, job_id, data)

    async def opened(self, job_id: str, data: bytes) -> bytes:
        """A stored message of a job, opened if it is sealed.

        Raises:
            DecodeError: It does not open.
            StageError: As `Vault.opening_key`.
        """
        return await opened(self.vault, job_id, data)

    async def _store(self, subject: str, data: bytes, headers: dict[str, str]) -> PubAck:
        stored = await self.jetstream.publish_once(
            subject, data, timeout=REQUEST_TIMEOUT_SECONDS, headers=headers
        )
        if not stored.duplicate:
            self._metrics.stored(subject)
        return stored

    async def _store_in_time(
        self, subject: str, data: bytes, headers: dict[str, str], give_up_seconds: float
    ) -> PubAck:
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception(may_pass),
                stop=stop_after_delay(give_up_seconds),
                wait=wait_random_exponential(multiplier=0.1, max=2),
                reraise=True,
            ):
                with attempt:
                    return await self._store(subject, data, headers)
        except BROKER_ERRORS as error:
            raise broker_unavailable(error) from error
        raise AssertionError("the attempts end with a result or an error")

    async def notify(self, subject: str, message: Message | None = None) -> None:
        """Publishes to the current subscribers of a subject; nothing is stored."""
        if self.connected:
            await self.client.publish(subject, message.SerializeToString() if message else b"")


@asynccontextmanager
async def open_broker(
    url: str,
    name: str,
    pings: Pings = Pings(),
    inbox: str = "_INBOX",
    meter: Meter = NO_METER,
    tracer: Tracer | None = None,
    credentials: Credentials = NO_CREDENTIALS,
    rides_out: bool = False,
) -> AsyncIterator[Broker]:
    """Connects, however long it takes. Creates and changes nothing in the broker.

    Args:
        url: One or more server addresses, separated by commas.
        name: The name of the connection in the server's lists.
        pings: How a frozen server is detected.
        inbox: The prefix of the subjects of replies.
        meter: Makes the metrics of the connection.
        tracer: Makes spans of messages.
        credentials: What NATS asks for.
        rides_out: Whether a request is repeated while NATS answers nobody; see `outages`.

    Raises:
        StageError: FAILED_PRECONDITION with BROKER_REFUSED: NATS refuses the credentials, now or
            later, when they are replaced; or with BROKER_CREDENTIALS_INVALID: they cannot be used,
            or the certificate of NATS is not to be trusted.
    """
    client = ResilientClient(rides_out=rides_out)
    jetstream = ResilientJetStream(client, REQUEST_TIMEOUT_SECONDS)
    broker = Broker(client, jetstream, meter, tracer, credentials.token())
    servers = url.split(",")
    if clear := unprotected(servers, credentials):
        log.warning("broker.unprotected", servers=addresses(clear), remedy=UNPROTECTED)
    ends, serving = asyncio.timeout(None), False

    async def on_error(error: Exception) -> None:
        if client.report(error):
            return
        problem = str(error) or type(error).__name__
        broker.note_error()
        if is_not_let_in(error):
            log.error("broker.not_let_in", servers=addresses(servers), error=problem, hint=HINT)
            if not serving:
                raise not_let_in() from error
            ends.reschedule(asyncio.get_running_loop().time())
        elif isinstance(error, ssl.SSLCertVerificationError) and not serving:
            raise not_trusted(addresses(servers), error) from error
        elif client.is_connected:
            log.warning("broker.error", error=problem)
        else:
            log.warning("broker.waiting", servers=addresses(servers), error=problem)

    async def on_disconnected() -> None:
        if serving:  # and not where this process closes it
            await broker.note_disconnect()

    async def on_closed() -> None:
        # nats-py ends a connection for ever when the server withdraws its credentials.
        if serving and client.last_error is not None and is_not_let_in(client.last_error):
            ends.reschedule(asyncio.get_running_loop().time())

    try:
        await client.connect(
            servers=servers,
            name=name,
            error_cb=on_error,
            disconnected_cb=on_disconnected,
            reconnected_cb=broker.note_reconnect,
            closed_cb=on_closed,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_WAIT_SECONDS,
            ping_interval=pings.interval_seconds,
            max_outstanding_pings=pings.outstanding,
            inbox_prefix=inbox,
            **credentials.options(),
        )
        async with ends:
            serving = True
            yield broker
    except TimeoutError as error:
        if ends.expired():
            raise not_let_in() from error
        raise
    finally:
        serving = False
        await _close(client)


def addresses(servers: Sequence[str]) -> list[str]:
    """The servers without their passwords, for logs."""
    return [masked_url(f"nats://{_place(server)}").removeprefix("nats://") for server in servers]


def _place(server: str) -> str:
    """What a URL has after the password: HOST:PORT, or what was given as one."""
    return server.rpartition("@")[2].rpartition("//")[2]


def _bucket(jetstream: ResilientJetStream, name: str, *, direct: bool = False) -> KeyValue:
    """A bucket, without a request to the broker, which not all users are allowed.

    Args:
        jetstream: JetStream.
        name: The bucket's name.
        direct: Whether reads may be answered by any server that has a copy.
    """
    return KeyValue(
        name=name,
        stream=subjects.bucket_stream(name),
        pre=subjects.bucket_subject(name, ""),
        js=jetstream,
        direct=direct,
    )


async def _close(client: ResilientClient) -> None:
    try:
        if client.is_connected:
            await client.drain()
        else:
            # After a failed TLS handshake, nats-py waits without end.
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                await client.close()
    except (NatsError, OSError) as error:
        log.warning("broker.close_failed", error=str(error))
