"""Stores the bytes of a call that appends, part by part."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from maie.common.v1 import types_pb2 as common
from maie.upload.v1 import record_pb2 as record
from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_gateway.uploads.messages import Pieces
from maie_gateway.uploads.refusals import longer_than_said, offset_wrong
from maie_gateway.uploads.store import StoredUpload, UploadChangedError, UploadStore
from maie_runtime import folders
from maie_runtime.blobs import Blobs
from maie_runtime.failpoints import failpoint

MEBIBYTE = 1024 * 1024
# A part is stored in one piece, so a gateway that is killed loses no more than this of a call.
PART_BYTES = 4 * MEBIBYTE
# Small parts, as of small requests and broken connections, are put together when there are so
# many: an upload's record has room for some 6000 parts (1 MiB, the largest message of NATS).
MOST_SMALL_PARTS = 64
MOST_BYTES = 6000 * PART_BYTES
NAME_BYTES = 8


class Appending:
    """One call that appends to an upload.

    Args:
        blobs: Takes the bytes.
        store: The uploads.
        upload: The upload as it was read at the beginning.
        pieces: What the call sends.
        most_bytes: How many bytes the upload may have.
        renewed: Gives a state with a new time at which it expires.
    """

    def __init__(
        self,
        *,
        blobs: Blobs,
        store: UploadStore,
        upload: StoredUpload,
        pieces: Pieces,
        most_bytes: int,
        renewed: Callable[[record.UploadState], None],
    ) -> None:
        self._blobs = blobs
        self._store = store
        self._upload = upload
        self._pieces = pieces
        self._left = most_bytes - upload.offset
        self._most_bytes = most_bytes
        self._renewed = renewed
        self._broken: StageError | None = None

    async def run(self, *, all_or_nothing: bool) -> StoredUpload:
        """Stores what the call sends; keeps what came before a break, unless it is all or nothing.

        Raises:
            StageError: ABORTED with UPLOAD_OFFSET_WRONG: another call appended meanwhile;
                RESOURCE_EXHAUSTED with UPLOAD_TOO_LARGE; as `Pieces.next`; or UNAVAILABLE.
        """
        pending: list[record.UploadedPart] = []
        while piece := await self._next():
            pending.append(await self._store_part(piece))
            if not all_or_nothing:
                await self._commit(pending)
                pending = []
        if all_or_nothing:
            await self._commit_whole(pending)
        if self._broken is not None:
            raise self._broken
        return self._upload

    async def _next(self) -> bytes:
        """The next bytes; none at the end of the call, and where it breaks."""
        if self._broken is not None:
            return b""
        try:
            piece = await self._pieces.next()
        except StageError as error:
            # What came before is kept.
            self._broken = error
            return b""
        self._left -= len(piece)
        if self._left < 0:
            self._broken = longer_than_said(self._most_bytes)
            return b""
        return piece

    async def _store_part(self, first: bytes) -> record.UploadedPart:
        folder = folders.of_parts(self._upload.upload_id)
        async with self._blobs.writer(f"{folder}/{secrets.token_hex(NAME_BYTES)}") as writer:
            piece = first
            while piece:
                await writer.write(piece)
                piece = await self._next() if writer.size < PART_BYTES else b""
        return _part(folder, writer.blob())

    async def _commit(self, parts: list[record.UploadedPart]) -> None:
        """Says that parts belong to the upload; they are durable then.

        Raises:
            StageError: ABORTED with UPLOAD_OFFSET_WRONG, where another call did it first.
        """
        await failpoint("upload.before_commit")
        state = self._upload.changed()
        state.parts.extend(parts)
        self._renewed(state)
        try:
            self._upload = await self._store.replace(self._upload, state)
        except UploadChangedError:
            await self._drop(parts)
            now = await self._store.get(self._upload.tenant, self._upload.upload_id)
            raise offset_wrong(now.offset) from None

    async def _commit_whole(self, parts: list[record.UploadedPart]) -> None:
        if self._broken is None and self._pieces.end is None:
            self._broken = invalid(
                Reason.UPLOAD_INCOMPLETE,
                "The call ended without its end message, and nothing of it was kept; send the "
                "bytes again.",
            )
        if self._broken is None:
            await self._commit(parts)
        else:
            await self._drop(parts)

    async def _drop(self, parts: list[record.UploadedPart]) -> None:
        for part in parts:
            await self._blobs.delete(f"{folders.of_parts(self._upload.upload_id)}/{part.name}")


async def put_small_parts_together(
    blobs: Blobs, store: UploadStore, upload: StoredUpload
) -> StoredUpload:
    """Makes one part of the last ones, where these are many and small.

    Raises:
        StageError: NOT_FOUND with UPLOAD_NOT_FOUND, or UNAVAILABLE.
    """
    sizes = [part.size_bytes for part in reversed(upload.state.parts)]
    small = next((n for n, size in enumerate(sizes) if size >= PART_BYTES), len(sizes))
    if small < MOST_SMALL_PARTS:
        return upload
    folder = folders.of_parts(upload.upload_id)
    old = list(upload.blobs())[-small:]
    async with blobs.writer(f"{folder}/{secrets.token_hex(NAME_BYTES)}") as writer:
        for blob in old:
            async for piece in blobs.read(blob):
                await writer.write(piece)
    whole = writer.blob()
    state = upload.changed()
    del state.parts[-small:]
    state.parts.append(_part(folder, whole))
    try:
        upload = await store.replace(upload, state)
    except UploadChangedError:
        await blobs.delete(whole.key)
        now = await store.get(upload.tenant, upload.upload_id)
        raise offset_wrong(now.offset) from None
    for blob in old:
        await blobs.delete(blob.key)
    return upload


def _part(folder: str, blob: common.Blob) -> record.UploadedPart:
    return record.UploadedPart(
        name=blob.key.removeprefix(f"{folder}/"),
        size_bytes=blob.size_bytes,
        sha256=bytes.fromhex(blob.sha256),
    )
