"""Leases of a shared GPU: one service at a time, in the order of their requests.

The state is in a NATS bucket whose entries expire unless they are renewed. The
holder's entry is created and renewed by compare-and-set, so there is never more
than one holder. A waiting service has an entry with its sequence number, and
takes the GPU only when it is free and no lower number waits.

A holder does not rely on the server to report that its lease is lost. It measures
the time since its last renewal by its own clock, and stops while its entry is still
valid, so that there is time to unload.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Self, TypeVar

import structlog

from maie_runtime.background import end
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker
from maie_runtime.bus.errors import KeyNotFoundError, KeyWrongLastSequenceError

log = structlog.get_logger()

T = TypeVar("T")

# Shares of the time after which an entry expires.
RENEW_AFTER = 0.25
LOST_AFTER = 0.65
# A late answer is lost with its connection; there is time for another attempt.
ANSWERED_AFTER = 0.15
# Notifications may be lost, and there is none for an expired entry.
LOOK_SECONDS = 0.5
RETRY_SECONDS = 0.25
_NOT_OURS = (KeyWrongLastSequenceError, KeyNotFoundError)


class GpuLease:
    """A lease of a GPU, until it is released or lost.

    Attributes:
        token: The fencing token; increases with each holder of the GPU.
        lost: Set when another service may have the GPU.
    """

    def __init__(self, lock: GpuLock, value: bytes, token: int, good_until: float) -> None:
        self.token = token
        self.lost = asyncio.Event()
        self._lock = lock
        self._value = value
        self._revision = token
        self._good_until = good_until
        self._released = asyncio.Event()
        self._keeping = asyncio.create_task(self._keep())

    @property
    def valid(self) -> bool:
        """Whether the lease is certainly valid, even right after a freeze of the process."""
        return not self.lost.is_set() and time.monotonic() < self._good_until

    async def others_wait(self) -> bool:
        """Whether a service waits for the GPU; False if the broker does not answer."""
        with suppress(*BROKER_ERRORS):
            _, waiting = await self._lock.look()
            return bool(waiting)
        return False

    async def release(self) -> None:
        """Releases the GPU; does nothing if the lease is lost."""
        self._released.set()
        # Lets a renewal finish first: a cancelled one might be stored after the removal.
        await asyncio.wait({self._keeping})
        if not self.lost.is_set():
            await self._lock.free(self._revision)

    async def _keep(self) -> None:
        """Renews the entry until it is too late."""
        try:
            while not self._released.is_set():
                # After a freeze both times may be over; then this timeout counts.
                async with asyncio.timeout(self._good_until - time.monotonic()):
                    await self._rest(self._lock.seconds * RENEW_AFTER)
                    if not self._released.is_set():
                        await self._renew()
        except (TimeoutError, *_NOT_OURS):
            log.warning("gpu.lost", gpu=self._lock.gpu, token=self.token)
        finally:
            # Nothing renews the entry any more.
            if not self._released.is_set():
                self.lost.set()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._released.wait()

    async def _renew(self) -> None:
        while True:
            asked = time.monotonic()
            try:
                async with asyncio.timeout(self._lock.seconds * ANSWERED_AFTER):
                    self._revision = await self._lock.renew(self._value, self._revision)
            except _NOT_OURS:
                raise
            except BROKER_ERRORS:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._good_until = asked + self._lock.seconds * LOST_AFTER
                return


class GpuLock:
    """One service's access to one shared GPU; an asynchronous context manager.

    Args:
        broker: The broker of all services that share the GPU.
        gpu: The GPU's name.
        holder: This service's name in logs.

    Attributes:
        seconds: The time after which an entry expires.
    """

    def __init__(self, broker: Broker, gpu: str, holder: str) -> None:
        self.gpu = gpu
        self.seconds = 0.0
        self._broker = broker
        self._holder = holder
        self._key = subjects.gpu_holder(gpu)
        self._stream = subjects.bucket_stream(subjects.GPUS)
        self._news = asyncio.Event()
        self._subscription: Any = None

    async def __aenter__(self) -> Self:
        self.seconds = (await self._broker.gpus.status()).ttl or 0.0
        self._subscription = await self._broker.client.subscribe(
            subjects.gpu_news(self.gpu), cb=self._on_news
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(*BROKER_ERRORS):
            await self._subscription.unsubscribe()

    async def acquire(self) -> GpuLease:
        """Waits for a lease of the GPU, without a time limit; may be cancelled."""
        number = await _until_answered(self._ask)
        key = subjects.gpu_waiting(self.gpu, number)
        waiting = asyncio.create_task(self._wait_in_line(key))
        try:
            lease = await self._take_when_free(number)
        except BaseException:
            await self._leave_line(waiting, key)
            raise
        try:
            await self._leave_line(waiting, key)
        except BaseException:
            await lease.release()
            raise
        return lease

    async def look(self) -> tuple[bool, set[int]]:
        """Whether a service holds the GPU, and the numbers of the waiting services."""
        filtered = subjects.bucket_subject(subjects.GPUS, subjects.gpu_keys(self.gpu))
        info = await self._broker.jetstream.stream_info(self._stream, subjects_filter=filtered)
        # $KV.BUCKET.KIND.NUMBER.GPU
        entries = [subject.split(".")[2:4] for subject in info.state.subjects or {}]
        waiting = {int(number) for kind, number in entries if kind == "waiting"}
        return any(kind == "holder" for kind, _ in entries), waiting

    async def renew(self, value: bytes, revision: int) -> int:
        """Renews the holder's entry; returns its new revision.

        Raises:
            KeyWrongLastSequenceError: The entry is another service's.
            KeyNotFoundError: The entry has expired.
        """
        try:
            return await self._broker.gpus.update(self._key, value, last=revision)
        except KeyWrongLastSequenceError:
            # The answer to our own last renewal may be lost.
            entry = await self._broker.gpus.get(self._key)
            if entry.value != value:
                raise
            return await self._broker.gpus.update(self._key, value, last=entry.revision)

    async def free(self, revision: int) -> None:
        """Removes the holder's entry, unless it is a later one."""
        await self._remove(self._key, revision)

    async def _ask(self) -> int:
        return await self._broker.gpus.put(subjects.gpu_asking(self.gpu), self._holder.encode())

    async def _wait_in_line(self, key: str) -> None:
        """Renews the waiting entry, and notifies the holder of the GPU."""
        while True:
            with suppress(*BROKER_ERRORS):
                await self._broker.gpus.put(key, self._holder.encode())
                await self._tell_news()
            await asyncio.sleep(self.seconds * RENEW_AFTER)

    async def _leave_line(self, waiting: asyncio.Task[None], key: str) -> None:
        await end(waiting)
        await self._remove(key)

    async def _take_when_free(self, number: int) -> GpuLease:
        value = f"{number} {self._holder}".encode()
        said = False
        while True:
            self._news.clear()
            with suppress(*BROKER_ERRORS):
                held, waiting = await self.look()
                if held and not said:
                    log.info("gpu.waiting", gpu=self.gpu)
                    said = True
                if not held and number <= min(waiting, default=number):
                    asked = time.monotonic()
                    with suppress(KeyWrongLastSequenceError):
                        token = await self._broker.gpus.create(self._key, value)
                        return GpuLease(self, value, token, asked + self.seconds * LOST_AFTER)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._news.wait()

    async def _remove(self, key: str, revision: int | None = None) -> None:
        """Purges an entry; one that cannot be removed expires."""
        try:
            await self._broker.jetstream.purge_stream(
                self._stream,
                # Purges the messages before this sequence.
                seq=revision + 1 if revision else None,
                subject=subjects.bucket_subject(subjects.GPUS, key),
            )
            await self._tell_news()
        except BROKER_ERRORS as error:
            log.warning("gpu.entry_left", gpu=self.gpu, error=str(error) or type(error).__name__)

    async def _tell_news(self) -> None:
        await self._broker.notify(subjects.gpu_news(self.gpu))

    async def _on_news(self, _: Any) -> None:
        self._news.set()


async def _until_answered(ask: Callable[[], Awaitable[T]]) -> T:
    while True:
        with suppress(*BROKER_ERRORS):
            return await ask()
        await asyncio.sleep(RETRY_SECONDS)
