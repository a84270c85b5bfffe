"""Objects are what they were, or reading them fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from maie.common.v1 import types_pb2 as common
from maie_runtime.blobs import Blobs
from maie_runtime.errors import Code, StageError

pytestmark = pytest.mark.unit


async def test_what_is_written_in_pieces_is_read_back_whole(blobs: Blobs, tmp_path: Path) -> None:
    pieces = [bytes([number]) * 1_000_003 for number in range(12)]
    async with blobs.writer("a/b") as writer:
        for piece in pieces:
            await writer.write(piece)
    assert writer.blob().size_bytes == 12 * 1_000_003
    await blobs.download(writer.blob(), tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"".join(pieces)


async def test_a_broken_write_leaves_no_object(blobs: Blobs) -> None:
    with pytest.raises(RuntimeError):
        async with blobs.writer("broken") as writer:
            await writer.write(b"x" * 12_000_000)
            raise RuntimeError
    with pytest.raises(StageError) as missing:
        await blobs.get(writer.blob())
    assert missing.value.reason == "BLOB_MISSING"


async def test_a_flipped_bit_is_named(blobs: Blobs, tmp_path: Path) -> None:
    blob = await blobs.put_message("jobs/1/asr", common.Transcript(language_code="en"))
    path = tmp_path / "blobs" / blob.key
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    with pytest.raises(StageError, match=blob.key) as corrupt:
        await blobs.get_message(blob, common.Transcript)
    assert (corrupt.value.code, corrupt.value.reason) == (Code.DATA_LOSS, "BLOB_CORRUPT")


async def test_a_message_is_stored_under_its_own_hash(blobs: Blobs) -> None:
    blob = await blobs.put_message("x", common.Transcript(language_code="en"))
    assert blob.key == f"x/{blob.sha256}"
    assert blob == await blobs.put_message("x", common.Transcript(language_code="en"))


async def test_an_object_of_another_kind_is_refused(blobs: Blobs) -> None:
    blob = await blobs.put("x", b"\xff\xff\xff")
    with pytest.raises(StageError, match="Transcript") as refused:
        await blobs.get_message(blob, common.Transcript)
    assert refused.value.reason == "BLOB_OF_ANOTHER_KIND"


async def test_removing_an_absent_object_is_no_error(blobs: Blobs) -> None:
    await blobs.delete("never/there")
    await blobs.check()
