"""The records of resumable uploads in the broker, written by compare-and-set only."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from google.protobuf.message import DecodeError, Message

from maie.common.v1 import types_pb2 as common
from maie.upload.v1 import record_pb2 as record
from maie_core.errors import StageError
from maie_core.names import is_uuid
from maie_core.reasons import Reason
from maie_gateway.records.bucket_errors import bucket_errors
from maie_gateway.uploads.lifetime import GRACE, is_expired
from maie_gateway.uploads.refusals import expired, not_found
from maie_runtime import folders
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.erasing import erase_all
from maie_runtime.bus.errors import KeyNotFoundError, KeyWrongLastSequenceError
from maie_runtime.bus.stored_subjects import matching_subjects, stored_subjects
from maie_runtime.ids import made_at

STREAM = subjects.bucket_stream(subjects.UPLOADS)


class UploadChangedError(Exception):
    """Another call changed the upload first."""


@dataclass(kw_only=True, frozen=True, slots=True)
class StoredUpload:
    """An upload as it is stored.

    Attributes:
        tenant: Whose it is.
        upload_id: Its id, which its job gets as well.
        state: How far it is.
        revision: The revision of that.
    """

    tenant: str
    upload_id: str
    state: record.UploadState
    revision: int

    @property
    def offset(self) -> int:
        """How many bytes are stored."""
        return sum(part.size_bytes for part in self.state.parts)

    def changed(self) -> record.UploadState:
        """A copy of the state, to change."""
        copy = record.UploadState()
        copy.CopyFrom(self.state)
        return copy

    def blobs(self) -> Iterator[common.Blob]:
        """The stored objects, in order."""
        folder = folders.of_parts(self.upload_id)
        for part in self.state.parts:
            yield common.Blob(
                key=f"{folder}/{part.name}", size_bytes=part.size_bytes, sha256=part.sha256.hex()
            )


class UploadStore:
    """The bucket of resumable uploads.

    Args:
        broker: The broker.

    Raises:
        StageError: NOT_FOUND with UPLOAD_NOT_FOUND, or UNAVAILABLE with BROKER_UNAVAILABLE.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def create(
        self, tenant: str, upload_id: str, state: record.UploadState, request: record.UploadRequest
    ) -> StoredUpload:
        """Stores a new upload. What it is for comes first: with a state, an upload is whole."""
        with bucket_errors():
            data = await self._sealed(upload_id, request)
            await self._broker.uploads.create(subjects.upload_request(tenant, upload_id), data)
            data = await self._sealed(upload_id, state)
            revision = await self._broker.uploads.create(
                subjects.upload_state(tenant, upload_id), data
            )
        return StoredUpload(tenant=tenant, upload_id=upload_id, state=state, revision=revision)

    async def get(self, tenant: str, upload_id: str) -> StoredUpload:
        """Reads an upload of a tenant."""
        state, revision = record.UploadState(), 0
        if is_uuid(upload_id):
            key = subjects.upload_state(tenant, upload_id)
            revision = await self._read(key, upload_id, state)
        if not revision or state.deleting:
            raise not_found()
        return StoredUpload(tenant=tenant, upload_id=upload_id, state=state, revision=revision)

    async def current(self, tenant: str, upload_id: str) -> StoredUpload:
        """Reads an upload of a tenant that has not expired.

        Raises:
            StageError: Also FAILED_PRECONDITION with UPLOAD_EXPIRED.
        """
        found = await self.get(tenant, upload_id)
        if not found.state.job_id and is_expired(found.state):
            raise expired()
        return found

    async def is_over(self, tenant: str, upload_id: str) -> bool:
        """Whether an upload expired a while ago, or was half made or half removed then."""
        state = record.UploadState()
        revision = await self._read(subjects.upload_state(tenant, upload_id), upload_id, state)
        if revision and not state.deleting:
            return is_expired(state, GRACE)
        return time.time() - made_at(upload_id) > GRACE.total_seconds()

    async def request(self, upload: StoredUpload) -> record.UploadRequest:
        """What an upload is for; empty once it is a job."""
        found = record.UploadRequest()
        key = subjects.upload_request(upload.tenant, upload.upload_id)
        await self._read(key, upload.upload_id, found)
        return found

    async def replace(self, old: StoredUpload, state: record.UploadState) -> StoredUpload:
        """Stores a changed state.

        Raises:
            UploadChangedError: The stored state differs from `old`.
        """
        key = subjects.upload_state(old.tenant, old.upload_id)
        data = await self._sealed(old.upload_id, state)
        try:
            with bucket_errors():
                revision = await self._broker.uploads.update(key, data, last=old.revision)
        except KeyWrongLastSequenceError as error:
            raise UploadChangedError from error
        return replace(old, state=state, revision=revision)

    async def erase_request(self, upload: StoredUpload) -> None:
        """Overwrites on the disk what an upload is for."""
        await self._erase(subjects.upload_request(upload.tenant, upload.upload_id))

    async def erase(self, tenant: str, upload_id: str) -> None:
        """Overwrites all of an upload on the disk; what it is for last, so that it is found."""
        await self._erase(subjects.upload_state(tenant, upload_id))
        await self._erase(subjects.upload_request(tenant, upload_id))

    async def count_unfinished(self, tenant: str) -> int:
        """How many uploads of a tenant are no jobs yet."""
        pattern = subjects.bucket_subject(subjects.UPLOADS, subjects.upload_request(tenant, "*"))
        with bucket_errors():
            return len(await matching_subjects(self._broker.client, STREAM, pattern))

    async def unfinished_by_tenant(self) -> Counter[str]:
        """How many uploads of each tenant are no jobs yet."""
        pattern = subjects.bucket_subject(subjects.UPLOADS, subjects.upload_request("*", "*"))
        with bucket_errors():
            found = await matching_subjects(self._broker.client, STREAM, pattern)
        return Counter(subjects.upload_of(subject)[0] for subject in found)

    async def all_ids(self) -> set[tuple[str, str]]:
        """The tenants and ids of all uploads, those that are half made or removed among them."""
        with bucket_errors():
            found = await stored_subjects(self._broker.client, STREAM)
        return {subjects.upload_of(subject) for subject in found}

    async def _read(self, key: str, upload_id: str, into: Message) -> int:
        """Reads an entry; gives its revision, 0 where it is not there."""
        try:
            with bucket_errors():
                entry = await self._broker.uploads.get(key)
            into.ParseFromString(await self._broker.opened(upload_id, entry.value or b""))
        except (KeyNotFoundError, DecodeError):
            return 0
        except StageError as error:
            if error.reason == Reason.DATA_KEY_GONE:  # its job was deleted
                return 0
            raise
        return entry.revision or 0

    async def _sealed(self, upload_id: str, message: Message) -> bytes:
        return await self._broker.sealed(upload_id, message.SerializeToString())

    async def _erase(self, key: str) -> None:
        with bucket_errors():
            await erase_all(self._broker, STREAM, subjects.bucket_subject(subjects.UPLOADS, key))
