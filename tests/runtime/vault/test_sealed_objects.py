"""An object store whose jobs are encrypted behaves like any other, and its files show nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from maie.common.v1 import types_pb2 as common
from maie_core.errors import StageError
from maie_runtime.blobs import Blobs
from maie_runtime.vault.data_key import DataKey
from maie_runtime.vault.vault import Vault, data_key_gone

pytestmark = pytest.mark.unit

JOB = "01900000-0000-7000-8000-000000000000"
OTHER = "01900000-0000-7000-8000-000000000001"
PREFIX = f"jobs/{JOB}/asr.0000"


class Keys(Vault):
    """The keys of one job."""

    def __init__(self) -> None:
        self.keys = {JOB: DataKey.new(JOB)}

    async def key(self, job_id: str) -> DataKey | None:
        return self.keys.get(job_id)

    async def opening_key(self, job_id: str) -> DataKey:
        if job_id not in self.keys:
            raise data_key_gone(job_id)
        return self.keys[job_id]


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def sealed(tmp_path: Path, keys: Keys) -> Blobs:
    return Blobs((tmp_path / "blobs").as_uri(), keys)


def files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]


async def written(blobs: Blobs, content: bytes, prefix: str = PREFIX) -> common.Blob:
    async with blobs.writer(prefix) as writer:
        for start in range(0, len(content), 1_000_003):
            await writer.write(content[start : start + 1_000_003])
    return writer.blob()


@pytest.mark.parametrize("size", [1, 65_536, 300_000, 12_000_000])
async def test_what_is_written_is_read_back(sealed: Blobs, tmp_path: Path, size: int) -> None:
    content = (b"Xylophonia " * (size // 11 + 1))[:size]
    blob = await written(sealed, content)
    assert blob.size_bytes == size
    await sealed.download(blob, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == content
    if size < 1_000_000:
        assert await sealed.get(blob) == content
    assert await written(sealed, content) == blob
    (stored,) = files(tmp_path)
    assert b"Xylophonia" not in stored.read_bytes()
    assert blob.sha256 not in stored.name


@pytest.mark.parametrize(
    ("start", "size"),
    [(0, None), (65_535, 2), (65_536, 1), (150_000, 40_000), (299_999, 9), (5, 0)],
)
async def test_a_part_is_read(sealed: Blobs, start: int, size: int | None) -> None:
    content = bytes(range(250)) * 1200
    blob = await written(sealed, content)
    pieces = [piece async for piece in sealed.read(blob, start, size)]
    end = None if size is None else start + size
    assert b"".join(pieces) == content[start:end]
    assert all(pieces)


async def test_messages_are_sealed_under_names_that_repeat(sealed: Blobs, tmp_path: Path) -> None:
    message = common.Failure(message="Xylophonia")
    blob = await sealed.put_message(PREFIX, message)
    assert await sealed.put_message(PREFIX, message) == blob
    assert await sealed.get_message(blob, common.Failure) == message
    (stored,) = files(tmp_path)
    assert b"Xylophonia" not in stored.read_bytes()


@pytest.mark.parametrize("place", [0, 20, 60, -1])
async def test_a_changed_object_is_damaged(sealed: Blobs, tmp_path: Path, place: int) -> None:
    blob = await sealed.put_message(PREFIX, common.Failure(message="Xylophonia"))
    (stored,) = files(tmp_path)
    content = bytearray(stored.read_bytes())
    content[place] ^= 1
    stored.write_bytes(content)
    for reading in (sealed.get(blob), sealed.download(blob, tmp_path / "copy")):
        with pytest.raises(StageError) as refused:
            await reading
        assert refused.value.reason == "BLOB_CORRUPT"


async def test_jobs_from_before_are_read_as_they_are(sealed: Blobs, tmp_path: Path) -> None:
    plain = Blobs((tmp_path / "blobs").as_uri())
    blob = await written(plain, b"Xylophonia" * 30_000, f"jobs/{OTHER}/recording")
    assert await sealed.get(blob) == b"Xylophonia" * 30_000
    await sealed.download(blob, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"Xylophonia" * 30_000


async def test_without_its_key_an_object_is_gone(sealed: Blobs, keys: Keys, tmp_path: Path) -> None:
    blob = await sealed.put_message(PREFIX, common.Failure(message="Xylophonia"))
    keys.keys.clear()
    with pytest.raises(StageError) as gone:
        await sealed.get(blob)
    assert gone.value.reason == "DATA_KEY_GONE"
    with pytest.raises(StageError) as unset:
        await Blobs((tmp_path / "blobs").as_uri()).get(blob)
    assert unset.value.reason == "DATA_KEY_NOT_CONFIGURED"
