"""Makes, rotates and revokes API keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from maie.access.v1 import access_pb2 as access
from maie.access.v1 import stored_pb2 as stored
from maie_core.api_keys import KeyText, is_key_id, new_key
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.access.key_ring import KeyRing
from maie_gateway.records.markers import remove_key
from maie_gateway.records.store import EXPECTED_LAST
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker, broker_unavailable
from maie_runtime.bus.errors import APIError, KeyNotFoundError
from maie_runtime.bus.jetstream import WRONG_LAST_SEQUENCE
from maie_runtime.bus.watch import Entry

log = structlog.get_logger()

MAX_KEYS = 5000
"""The most keys of a mesh; each gateway has all of them in memory."""
MAX_SECRETS = 4
"""The most secrets of a key that work at once; another rotation ends the oldest."""
SHOWN_AFTERWARDS = timedelta(days=30)
"""How long a key is listed after its end."""

Change = Callable[[stored.StoredKey], None]


class KeyStore:
    """The bucket of API keys, written by compare-and-set.

    Raises:
        StageError: UNAVAILABLE with BROKER_UNAVAILABLE.
    """

    def __init__(self, broker: Broker, ring: KeyRing) -> None:
        self._broker = broker
        self._ring = ring

    async def create(
        self, shown: access.ApiKey, lifetime: timedelta | None
    ) -> tuple[access.ApiKey, KeyText]:
        """Makes a key.

        Args:
            shown: What is shown of it, without its id and times.
            lifetime: How long it works; None for one that does not end by itself.

        Raises:
            StageError: FAILED_PRECONDITION with KEYS_FULL.
        """
        if len(await self.listed("")) >= MAX_KEYS:
            raise StageError(
                Code.FAILED_PRECONDITION,
                Reason.KEYS_FULL,
                f"The mesh has {MAX_KEYS} keys, which is all that it may have; revoked and expired "
                "ones make room after 30 days.",
            )
        text = new_key()
        key = stored.StoredKey(key=shown, secrets=[stored.StoredSecret(sha256=text.sha256)])
        key.key.key_id = text.key_id
        now = datetime.now(UTC)
        key.key.create_time.FromDatetime(now)
        if lifetime is not None:
            key.key.expire_time.FromDatetime(now + lifetime)
        await self._write(key, 0)
        log.info("key.created", key_id=text.key_id, tenant=key.key.tenant, by=key.key.created_by)
        return key.key, text

    async def listed(self, tenant: str) -> list[access.ApiKey]:
        """The keys, of one tenant or, where it is empty, of all; by tenant and time."""
        oldest = datetime.now(UTC) - SHOWN_AFTERWARDS
        keys = [
            each.key
            for each in await self._ring.keys()
            if tenant in ("", each.key.tenant) and (ended_at(each.key) or oldest) >= oldest
        ]
        return sorted(keys, key=lambda key: (key.tenant, key.create_time.ToNanoseconds()))

    async def rotate(self, key_id: str, overlap: timedelta) -> tuple[access.ApiKey, KeyText]:
        """Gives a key another secret; those before work on for `overlap` at most.

        Raises:
            StageError: NOT_FOUND with KEY_NOT_FOUND, also for a revoked or expired key.
        """
        text, now = new_key(key_id), datetime.now(UTC)

        def change(key: stored.StoredKey) -> None:
            ended = ended_at(key.key)
            if ended is not None and ended <= now:
                raise key_not_found(key_id)
            _rotate(key, text, now, overlap)

        key = await self._change(key_id, change)
        log.info("key.rotated", key_id=key_id, overlap_seconds=overlap.total_seconds())
        return key, text

    async def revoke(self, key_id: str) -> access.ApiKey:
        """Ends a key at once.

        Raises:
            StageError: NOT_FOUND with KEY_NOT_FOUND.
        """

        def change(key: stored.StoredKey) -> None:
            if not key.key.HasField("revoke_time"):
                key.key.revoke_time.FromDatetime(datetime.now(UTC))
                key.key.ClearField("overlap_end_time")
                del key.secrets[:]

        key = await self._change(key_id, change)
        log.info("key.revoked", key_id=key_id)
        return key

    async def forget_all(self, tenant: str) -> None:
        """Ends all keys of a tenant at once, and lists them no more."""
        for key in await self._ring.keys():
            if key.key.tenant == tenant:
                self._ring.note(await remove_key(self._broker, subjects.KEYS, key.key.key_id))
                log.info("key.forgotten", key_id=key.key.key_id)

    async def _change(self, key_id: str, change: Change) -> access.ApiKey:
        while True:
            key, revision = await self._read(key_id)
            change(key)
            if await self._write(key, revision):
                return key.key

    async def _read(self, key_id: str) -> tuple[stored.StoredKey, int]:
        if not is_key_id(key_id):
            raise key_not_found(key_id)
        try:
            entry = await self._broker.keys.get(key_id)
        except KeyNotFoundError:
            raise key_not_found(key_id) from None
        except BROKER_ERRORS as error:
            raise broker_unavailable(error) from error
        return stored.StoredKey.FromString(entry.value or b""), entry.revision or 0

    async def _write(self, key: stored.StoredKey, last: int) -> bool:
        """Stores a key whose last revision is `last`; False where it is another one now."""
        key_id, data = key.key.key_id, key.SerializeToString(deterministic=True)
        ended = ended_at(key.key)
        left = ended + SHOWN_AFTERWARDS - datetime.now(UTC) if ended else None
        try:
            acknowledged = await self._broker.jetstream.publish(
                subjects.bucket_subject(subjects.KEYS, key_id),
                data,
                headers={EXPECTED_LAST: str(last)},
                # The broker forgets keys that have ended by itself.
                msg_ttl=max(1, int(left.total_seconds())) if left is not None else None,
            )
        except APIError as error:
            if error.err_code in WRONG_LAST_SEQUENCE:
                return False
            raise broker_unavailable(error) from error
        except BROKER_ERRORS as error:
            raise broker_unavailable(error) from error
        # So that a new key can be used here at once.
        self._ring.note(Entry(key=key_id, value=data, revision=acknowledged.seq))
        return True


def key_not_found(key_id: str) -> StageError:
    """The error for a key that does not exist."""
    name = key_id if is_key_id(key_id) else "of this id"
    return StageError(
        Code.NOT_FOUND,
        Reason.KEY_NOT_FOUND,
        f"There is no key {name} that works; `maie keys list` shows those there are.",
        field="key_id",
    )


def _rotate(key: stored.StoredKey, text: KeyText, now: datetime, overlap: timedelta) -> None:
    """Puts a new secret before those that still work, which end after the overlap."""
    latest_end = now + overlap
    kept = []
    for secret in key.secrets:
        own = secret.expire_time.ToDatetime(UTC) if secret.HasField("expire_time") else latest_end
        if (end := min(own, latest_end)) > now:
            secret.expire_time.FromDatetime(end)
            kept.append(secret)
    newest = stored.StoredSecret(sha256=text.sha256)
    del key.secrets[:]
    key.secrets.extend([newest, *kept[: MAX_SECRETS - 1]])
    key.key.rotate_time.FromDatetime(now)
    key.key.ClearField("overlap_end_time")
    if kept:
        key.key.overlap_end_time.CopyFrom(kept[0].expire_time)


def ended_at(key: access.ApiKey) -> datetime | None:
    """When a key ends, or has ended; None where it does not end by itself."""
    ends = [
        getattr(key, field).ToDatetime(UTC)
        for field in ("expire_time", "revoke_time")
        if key.HasField(field)
    ]
    return min(ends, default=None)
