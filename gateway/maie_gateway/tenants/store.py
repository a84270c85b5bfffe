"""The bucket of tenants: limits that were set, and marks of removals; every gateway follows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog
from google.protobuf.message import DecodeError
from pydantic import ValidationError

from maie.tenant.v1 import stored_pb2 as stored
from maie.tenant.v1 import tenant_pb2 as tenants
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.limits.callers import CallerLimits
from maie_gateway.records.bucket_errors import bucket_errors
from maie_gateway.records.buckets import follow_bucket
from maie_gateway.records.markers import remove_key
from maie_gateway.tenants.messages import from_message
from maie_runtime.background import background_tasks
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.errors import KeyNotFoundError, KeyWrongLastSequenceError
from maie_runtime.bus.watch import Entry

log = structlog.get_logger()


@dataclass(kw_only=True, frozen=True, slots=True)
class KnownTenant:
    """A tenant as it is stored.

    Attributes:
        revision: The bucket's revision of it.
        limits: The limits that were set for it.
        removing: Whether its removal was begun, and is not over.
    """

    revision: int
    limits: tenants.TenantLimits
    removing: bool


class TenantStore:
    """What is stored of tenants, written by compare-and-set.

    While the broker is away, those that were seen last hold.

    Args:
        broker: The broker.
        limits: Gets the limits as they change.
    """

    def __init__(self, broker: Broker, limits: CallerLimits) -> None:
        self._broker = broker
        self._limits = limits
        self._known: dict[str, KnownTenant] = {}
        self._replay: dict[str, KnownTenant] | None = None
        self._complete = asyncio.Event()

    def known(self) -> dict[str, KnownTenant]:
        """The tenants that are stored, by name."""
        return dict(self._known)

    async def set_limits(self, tenant: str, wanted: tenants.TenantLimits, base: int) -> int:
        """Sets a tenant's limits; gives their revision.

        Args:
            tenant: The tenant.
            wanted: The limits, which are valid.
            base: The revision that they are based on; 0 for none.

        Raises:
            StageError: ABORTED with LIMITS_OUTDATED; UNAVAILABLE with BROKER_UNAVAILABLE.
        """
        known = self._known.get(tenant)
        changed = stored.StoredTenant(limits=wanted, removing=known is not None and known.removing)
        try:
            revision = await self._write(tenant, changed, base)
        except KeyWrongLastSequenceError as error:
            raise _outdated(tenant) from error
        log.info("tenant.limits_set", tenant=tenant)
        return revision

    async def mark(self, tenant: str) -> None:
        """Marks a tenant as one that is being removed.

        Raises:
            StageError: UNAVAILABLE with BROKER_UNAVAILABLE.
        """
        while True:
            before, revision = await self._read(tenant)
            if before.removing:
                # The watch may be behind.
                data = before.SerializeToString(deterministic=True)
                self._note(Entry(key=tenant, value=data, revision=revision))
                return
            before.removing = True
            with suppress(KeyWrongLastSequenceError):
                await self._write(tenant, before, revision)
                return

    async def forget(self, tenant: str) -> None:
        """Forgets a tenant, at all gateways.

        Raises:
            StageError: UNAVAILABLE with BROKER_UNAVAILABLE.
        """
        self._note(await remove_key(self._broker, subjects.TENANTS, tenant))

    async def _read(self, tenant: str) -> tuple[stored.StoredTenant, int]:
        """A tenant as it is stored, and its revision; 0 where it is not."""
        try:
            with bucket_errors():
                entry = await self._broker.tenants.get(tenant)
        except KeyNotFoundError:
            return stored.StoredTenant(), 0
        return stored.StoredTenant.FromString(entry.value or b""), entry.revision or 0

    async def _write(self, tenant: str, changed: stored.StoredTenant, last: int) -> int:
        """Stores a tenant; gives its revision.

        Raises:
            KeyWrongLastSequenceError: Its revision is not `last` any more.
        """
        data = changed.SerializeToString(deterministic=True)
        with bucket_errors():
            if last:
                revision = await self._broker.tenants.update(tenant, data, last=last)
            else:
                revision = await self._broker.tenants.create(tenant, data)
        # So that it holds here at once.
        self._note(Entry(key=tenant, value=data, revision=revision))
        return revision

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Follows the bucket while the context lasts; begins once all limits have been seen."""
        following = follow_bucket(self._broker, subjects.TENANTS, self._begun, self._received)
        async with background_tasks(following):
            await self._complete.wait()
            yield

    async def _begun(self) -> None:
        self._replay = {}

    async def _received(self, entry: Entry | None) -> None:
        if entry is not None:
            self._note(entry)
        elif self._replay is not None:
            self._known, self._replay = self._replay, None
            self._complete.set()
            self._hand_over()

    def _note(self, entry: Entry) -> None:
        """Takes in an entry, unless it is older than the known one."""
        for known in (self._known, *([] if self._replay is None else [self._replay])):
            if entry.key in known and known[entry.key].revision > entry.revision:
                continue
            if entry.value is None:
                known.pop(entry.key, None)
            elif (found := _decoded(entry)) is not None:
                known[entry.key] = found
        if self._replay is None:
            self._hand_over()

    def _hand_over(self) -> None:
        self._limits.replace(
            {tenant: from_message(each.limits) for tenant, each in self._known.items()}
        )


def _decoded(entry: Entry) -> KnownTenant | None:
    """A tenant; None where it cannot be read, such as limits of a later release."""
    try:
        found = stored.StoredTenant.FromString(entry.value or b"")
        from_message(found.limits)
    except (DecodeError, ValidationError):
        log.error("tenant.unreadable", tenant=entry.key)
        return None
    return KnownTenant(revision=entry.revision, limits=found.limits, removing=found.removing)


def _outdated(tenant: str) -> StageError:
    return StageError(
        Code.ABORTED,
        Reason.LIMITS_OUTDATED,
        f"Somebody changed the limits of tenant {tenant} meanwhile; list them, and set them again.",
        field="base_revision",
    )
