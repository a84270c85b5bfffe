"""The API keys that a gateway knows: those of the bucket, over a watch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from google.protobuf.message import DecodeError
from opentelemetry.metrics import CallbackOptions, Meter, Observation

from maie.access.v1 import stored_pb2 as stored
from maie_gateway.records.buckets import follow_bucket
from maie_runtime.background import background_tasks
from maie_runtime.bus import outages, subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker, broker_unavailable
from maie_runtime.bus.errors import KeyNotFoundError
from maie_runtime.bus.watch import Entry

log = structlog.get_logger()

# How often a call looks whether the watch has caught up.
LOOK_SECONDS = 0.05


@dataclass(kw_only=True, frozen=True, slots=True)
class _Known:
    """A key as it was seen last.

    Attributes:
        revision: The bucket's revision of it.
        key: The key; None where it was removed, or cannot be read.
    """

    revision: int
    key: stored.StoredKey | None


class KeyRing:
    """All keys of the mesh, as they are now.

    While the watch is behind, such as after a lost connection, a key is read from the broker. While
    the broker does not answer, nobody knows which keys are revoked, so no key is taken.

    Args:
        changed: Called with the id of a key that may have changed, once `find` knows how.

    Raises:
        StageError: UNAVAILABLE with BROKER_UNAVAILABLE.
    """

    def __init__(self, changed: Callable[[str], None]) -> None:
        self._changed = changed
        self._broker: Broker | None = None
        self._known: dict[str, _Known] = {}
        self._replay: dict[str, _Known] | None = None
        # The connection over which all entries were seen; -1 for none yet.
        self._seen_over = -1
        self._complete = asyncio.Event()

    async def find(self, key_id: str) -> stored.StoredKey | None:
        """The key of an id; None where there is none."""
        if self._broker is not None:
            await self._broker.until_connected()
        if not self._is_current():
            return await self._read(key_id)
        known = self._known.get(key_id)
        return known.key if known else None

    async def keys(self) -> list[stored.StoredKey]:
        """All keys, in no order."""
        try:
            async with asyncio.timeout(outages.RIDE_OUT_SECONDS):
                await self._until_current()
        except TimeoutError:
            raise broker_unavailable() from None
        return [known.key for known in self._known.values() if known.key is not None]

    def next_expiry(self) -> float | None:
        """When the next key expires, in seconds since 1970; None where none will."""
        now = time.time()
        # A copy, since metrics are read in a thread of their own.
        keys = [known.key for known in tuple(self._known.values()) if known.key is not None]
        ends = (key.key.expire_time.ToNanoseconds() / 1e9 for key in keys)
        return min((end for end in ends if end > now), default=None)

    def observe(self, meter: Meter) -> None:
        """Makes the gauge of when the next key expires."""

        def expiry(_: CallbackOptions) -> Iterator[Observation]:
            if (end := self.next_expiry()) is not None:
                yield Observation(end)

        meter.create_observable_gauge(
            "maie.key.expiry",
            [expiry],
            unit="s",
            description="When the next API key expires, in seconds since 1970. Every gateway "
            "reports it for the whole mesh: aggregate with min.",
        )

    def note(self, entry: Entry) -> None:
        """Takes in an entry that was written or seen, unless it is older than the known one."""
        found = _Known(revision=entry.revision, key=_decoded(entry))
        for keys in (self._known, *([] if self._replay is None else [self._replay])):
            known = keys.get(entry.key)
            if known is None or known.revision <= entry.revision:
                keys[entry.key] = found
        if self._replay is None:
            self._changed(entry.key)

    @asynccontextmanager
    async def following(self, broker: Broker) -> AsyncIterator[None]:
        """Follows the bucket while the context lasts; begins once all keys have been seen."""
        self._broker = broker
        following = follow_bucket(broker, subjects.KEYS, self._begun, self._received)
        async with background_tasks(following):
            await self._complete.wait()
            yield
        self._broker = None

    async def _until_current(self) -> None:
        assert self._broker is not None
        while True:
            await self._broker.until_connected()
            if self._is_current():
                return
            await asyncio.sleep(LOOK_SECONDS)

    def _is_current(self) -> bool:
        if self._broker is None or not self._broker.connected:
            raise broker_unavailable()
        # Over a new connection, what changed meanwhile has not been seen yet.
        return self._seen_over == self._broker.connections

    async def _read(self, key_id: str) -> stored.StoredKey | None:
        assert self._broker is not None
        try:
            entry = await self._broker.keys.get(key_id)
        except KeyNotFoundError:
            return None
        except BROKER_ERRORS as error:
            raise broker_unavailable(error) from error
        return _decoded(Entry(key=key_id, value=entry.value or b"", revision=entry.revision or 0))

    async def _begun(self) -> None:
        assert self._broker is not None
        self._seen_over, self._replay = -1, {}
        self._replayed_over = self._broker.connections

    async def _received(self, entry: Entry | None) -> None:
        if entry is not None:
            self.note(entry)
        elif self._replay is not None:
            before = self._known
            self._known, self._replay = self._replay, None
            self._seen_over = self._replayed_over
            self._complete.set()
            for key_id in before.keys() | self._known.keys():
                self._changed(key_id)


def _decoded(entry: Entry) -> stored.StoredKey | None:
    if entry.value is None:
        return None
    try:
        return stored.StoredKey.FromString(entry.value)
    except DecodeError:
        log.error("key.unreadable", key_id=entry.key)
        return None
