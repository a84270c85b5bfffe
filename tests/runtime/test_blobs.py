"""Objects are what they were, or reading them fails."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePath

import pytest

from maie.common.v1 import types_pb2 as common
from maie_core.errors import Code, StageError
from maie_runtime.blobs import PARTIAL_GLOB, Blobs
from tests.chaos.disk import no_small_disk, small_disk

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("count", [0, 1, 3, 12])
async def test_what_is_written_in_pieces_is_read_back_whole(
    blobs: Blobs, tmp_path: Path, count: int
) -> None:
    pieces = [bytes([number]) * 1_000_003 for number in range(count)]
    async with blobs.writer("a/b") as writer:
        for piece in pieces:
            await writer.write(piece)
    assert writer.blob().size_bytes == count * 1_000_003
    await blobs.download(writer.blob(), tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"".join(pieces)


@pytest.mark.parametrize(
    ("start", "size", "expected"),
    [
        (0, None, slice(None)),
        (0, 3_000_000, slice(3_000_000)),
        (2_999_999, 2, slice(2_999_999, 3_000_001)),
        (5_999_999, None, slice(-1, None)),
        (5_999_999, 9, slice(-1, None)),
        (6_000_000, None, slice(0)),
    ],
)
async def test_a_part_of_an_object_is_read(
    blobs: Blobs, start: int, size: int | None, expected: slice
) -> None:
    content = bytes(range(250)) * 24_000
    blob = await blobs.put("a/b", content)
    pieces = [piece async for piece in blobs.read(blob, start, size)]
    assert b"".join(pieces) == content[expected]


@pytest.mark.parametrize("size", [1, 12_000_000])
async def test_no_write_changes_what_another_wrote(blobs: Blobs, tmp_path: Path, size: int) -> None:
    written = [await _write(blobs, content * size) for content in (b"a", b"b", b"a")]
    assert written[0] == written[2] != written[1]
    for blob, content in zip(written, (b"a", b"b", b"a"), strict=True):
        assert blob.key == f"x/y-{blob.sha256}"
        await blobs.download(blob, tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == content * size
    stored = [found.key async for found in blobs.stored("")]
    assert sorted(stored) == sorted({blob.key for blob in written})


async def _write(blobs: Blobs, content: bytes) -> common.Blob:
    async with blobs.writer("x/y") as writer:
        for start in range(0, len(content), 4_000_000):
            await writer.write(content[start : start + 4_000_000])
    return writer.blob()


@pytest.mark.parametrize("size", [1, 12_000_000])
async def test_a_broken_write_leaves_no_object(blobs: Blobs, size: int) -> None:
    with pytest.raises(RuntimeError):
        async with blobs.writer("broken") as writer:
            await writer.write(b"x" * size)
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
    assert blob.key == f"x-{blob.sha256}"
    assert blob == await blobs.put_message("x", common.Transcript(language_code="en"))


async def test_an_object_of_another_kind_is_refused(blobs: Blobs) -> None:
    blob = await blobs.put("x", b"\xff\xff\xff")
    with pytest.raises(StageError, match="Transcript") as refused:
        await blobs.get_message(blob, common.Transcript)
    assert refused.value.reason == "BLOB_OF_ANOTHER_KIND"


async def test_removing_an_absent_object_is_no_error(blobs: Blobs) -> None:
    await blobs.delete("never/there")
    await blobs.check()


async def test_a_prefix_ends_with_its_name(blobs: Blobs, tmp_path: Path) -> None:
    for key in ("jobs/a/1", "jobs/a/deep/2", "jobs/ab/3"):
        await blobs.put(key, b"x")
    assert sorted(await blobs.children("jobs")) == ["a", "ab"]
    assert await blobs.delete_prefix("jobs/a") == 2
    assert [stored.key async for stored in blobs.stored("jobs")] == ["jobs/ab/3"]
    assert await blobs.delete_prefix("jobs/a") == 0
    # Not even an empty folder is left.
    assert [path.name for path in (tmp_path / "blobs" / "jobs").iterdir()] == ["ab"]
    assert await blobs.children("nothing") == []


async def test_two_may_remove_the_same_prefix(blobs: Blobs) -> None:
    for number in range(200):
        await blobs.put(f"jobs/a/{number}", b"x")
    await asyncio.gather(*(blobs.delete_prefix("jobs/a") for _ in range(4)))
    assert [stored async for stored in blobs.stored("jobs")] == []


async def test_what_a_killed_writer_left_goes_once_it_is_old(blobs: Blobs, tmp_path: Path) -> None:
    async with blobs.writer("jobs/a/recording") as writer:
        await writer.write(b"x" * 12_000_000)
        (partial,) = (tmp_path / "blobs" / "jobs" / "a").iterdir()
        left = partial.with_name("left#1")
        left.write_bytes(partial.read_bytes())
        await blobs.remove_partials(datetime.now(UTC) - timedelta(hours=1))
        assert left.exists()
        os.utime(left, (0, 0))
        await blobs.remove_partials(datetime.now(UTC) - timedelta(hours=1))
        assert not left.exists()
    assert [stored.key async for stored in blobs.stored("jobs")] == [writer.blob().key]
    assert PurePath(partial.name).match(PARTIAL_GLOB)


@pytest.mark.skipif(bool(no_small_disk()), reason=str(no_small_disk()))
async def test_a_full_store_is_named_and_takes_objects_again_when_it_has_space(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "small") as disk:
        blobs = Blobs(disk.folder.as_uri())
        await disk.fill()
        for write in (blobs.put("a", b"x" * 5000), _write_pieces(blobs, "b")):
            with pytest.raises(StageError, match="free some") as full:
                await write
            assert (full.value.code, full.value.reason) == (Code.UNAVAILABLE, "BLOB_STORE_FULL")
            assert full.value.retry_after
        disk.free()
        assert await blobs.get(await blobs.put("a", b"x" * 5000)) == b"x" * 5000
        assert [stored.key async for stored in blobs.stored("")] == ["a"]


async def _write_pieces(blobs: Blobs, key: str) -> None:
    async with blobs.writer(key) as writer:
        for _ in range(3):
            await writer.write(b"x" * 4_000_000)


@pytest.mark.parametrize(
    "key",
    [
        *("", "/etc/passwd", "../secret", "jobs/../../secret", "jobs/..", "jobs/./a", "jobs//a"),
        *("a\0b", "a\nb", "jobs/", "a\\b", "~", "C:/a", "\u202e", "x" * 1025, "a#1", "*"),
    ],
)
async def test_a_key_that_no_object_has_is_an_invalid_argument(
    blobs: Blobs, tmp_path: Path, key: str
) -> None:
    blob = common.Blob(key=key, sha256="0" * 64)
    for read in (blobs.get(blob), blobs.download(blob, tmp_path / "copy")):
        with pytest.raises(StageError) as refused:
            await read
        assert (refused.value.code, refused.value.reason) == (
            Code.INVALID_ARGUMENT,
            "BLOB_KEY_INVALID",
        )
    assert not (tmp_path / "copy").exists()


async def test_an_error_never_tells_the_digest_of_what_is_stored(
    blobs: Blobs, tmp_path: Path
) -> None:
    stored = await blobs.put("jobs/a/recording", b"somebody's")
    guessed = common.Blob(key=stored.key, sha256="0" * 64)
    for read in (blobs.get(guessed), blobs.download(guessed, tmp_path / "copy")):
        with pytest.raises(StageError) as corrupt:
            await read
        assert stored.sha256 not in str(corrupt.value)
