"""The bucket of shares."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from google.protobuf.message import DecodeError

from maie.share.v1 import share_pb2 as share
from maie.share.v1 import stored_pb2 as stored
from maie_gateway.records.bucket_errors import bucket_errors
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.erasing import erase_all
from maie_runtime.bus.errors import NotFoundError
from maie_runtime.bus.stored_subjects import matching_subjects

log = structlog.get_logger()

STREAM = subjects.bucket_stream(subjects.SHARES)
ANY = "*"


@dataclass(kw_only=True, frozen=True, slots=True)
class FoundShare:
    """A share as it is stored.

    Attributes:
        tenant: Whose job it shows.
        shown: What is shown of it.
        sha256: The hash of its secret.
    """

    tenant: str
    shown: share.Share
    sha256: bytes

    def works(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.shown.expire_time.ToDatetime(UTC) > now


class ShareStore:
    """The bucket of shares. A share that ended is not in it: it was erased, or has expired.

    The leader of the stream answers, so a share that was revoked is gone at every gateway at once.

    Args:
        broker: The broker.

    Raises:
        StageError: UNAVAILABLE with BROKER_UNAVAILABLE.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def create(self, tenant: str, made: stored.StoredShare) -> None:
        """Stores a new share; the broker forgets it by itself when it ends."""
        shown = made.share
        left = shown.expire_time.ToDatetime(UTC) - datetime.now(UTC)
        with bucket_errors():
            await self._broker.jetstream.publish(
                _subject(tenant, shown.job_id, shown.share_id),
                made.SerializeToString(),
                msg_ttl=max(1, int(left.total_seconds()) + 1),
            )

    async def find(self, job_id: str, share_id: str) -> FoundShare | None:
        """The share of these ids, of whatever tenant; None where there is none."""
        return await self._next(_subject(ANY, job_id, share_id), 1)

    async def listed(self, tenant: str, job_id: str = ANY) -> list[share.Share]:
        """The shares of a tenant, or of one job of it, that work; the newest first."""
        now = datetime.now(UTC)
        async with aclosing(self._all(_subject(tenant, job_id, ANY))) as found:
            working = [each.shown async for each in found if each.works(now)]
        return working[::-1]

    async def count(self, tenant: str, job_id: str = ANY) -> int:
        """How many shares a tenant has, or one job of it."""
        with bucket_errors():
            pattern = _subject(tenant, job_id, ANY)
            return len(await matching_subjects(self._broker.client, STREAM, pattern))

    async def erase(self, tenant: str, job_id: str, share_id: str) -> bool:
        """Overwrites a share on the disk; False where there is none."""
        with bucket_errors():
            return bool(await erase_all(self._broker, STREAM, _subject(tenant, job_id, share_id)))

    async def _all(self, pattern: str) -> AsyncGenerator[FoundShare, None]:
        sequence = 0
        while (message := await self._message(pattern, sequence + 1)) is not None:
            sequence, subject, data = message
            if found := _read(subject, data):
                yield found

    async def _next(self, pattern: str, sequence: int) -> FoundShare | None:
        message = await self._message(pattern, sequence)
        return _read(*message[1:]) if message else None

    async def _message(self, pattern: str, sequence: int) -> tuple[int, str, bytes] | None:
        """The first message of a pattern from a sequence on: its sequence, subject and content."""
        with bucket_errors():
            try:
                found = await self._broker.jetstream.get_msg(
                    STREAM, seq=sequence, subject=pattern, next=True
                )
            except NotFoundError:
                return None
        return found.seq or 0, found.subject or "", found.data or b""


def _subject(tenant: str, job_id: str, share_id: str) -> str:
    return subjects.bucket_subject(subjects.SHARES, subjects.share(tenant, job_id, share_id))


def _read(subject: str, data: bytes) -> FoundShare | None:
    tenant = subject.removeprefix(subjects.bucket_subject(subjects.SHARES, "")).partition(".")[0]
    try:
        found = stored.StoredShare.FromString(data)
    except DecodeError:
        log.error("share.unreadable", tenant=tenant)
        return None
    return FoundShare(tenant=tenant, shown=found.share, sha256=found.sha256)
