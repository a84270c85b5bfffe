"""Objects in a real S3 bucket, whose answers are wrong in all the ways of the proxy before it."""

from __future__ import annotations

import random
import secrets
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from maie.common.v1 import types_pb2 as common
from maie_core.errors import Code, StageError
from maie_runtime import object_store
from maie_runtime.blobs import Blobs
from tests.s3.proxy import FaultyProxy, Wrong
from tests.s3.server import BUCKET, S3Server, environment_for, no_s3_server

pytestmark = [
    pytest.mark.mesh,
    pytest.mark.skipif(no_s3_server() is not None, reason=str(no_s3_server())),
]

# More than a part of an upload.
LARGE_BYTES = 6 * 1024 * 1024
UNANSWERED = (Wrong.BUSY, Wrong.RESET, Wrong.HUNG)
OF_READS = (Wrong.CUT, Wrong.SHORT, Wrong.DAMAGED)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with S3Server(tmp_path_factory.mktemp("s3") / "data") as running:
        yield running


@pytest.fixture
async def proxy(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FaultyProxy]:
    """What stands between the objects and the server."""
    async with FaultyProxy(target=server.address, chance=random.Random(1)) as running:
        for name, value in environment_for(running.address).items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def url(proxy: FaultyProxy) -> str:
    """A part of the bucket that nobody else uses."""
    return f"s3://{BUCKET}/{secrets.token_hex(4)}"


@pytest.fixture
def stored(url: str) -> Blobs:
    return Blobs(url)


@pytest.fixture
def impatient(url: str, monkeypatch: pytest.MonkeyPatch) -> Blobs:
    """The same objects, for reads and writes that get no answer: a test waits less than a mesh."""
    monkeypatch.setattr(object_store, "SILENCE_SECONDS", timedelta(seconds=0.3))
    monkeypatch.setattr(object_store, "RETRY_SECONDS", timedelta(seconds=0.3))
    return Blobs(url)


async def store_large(stored: Blobs) -> common.Blob:
    """Stores an object in several parts."""
    async with stored.writer("jobs/a/large") as writer:
        for _ in range(LARGE_BYTES // 2**20 + 1):
            await writer.write(secrets.token_bytes(2**20))
    return writer.blob()


@pytest.mark.parametrize("wrong", UNANSWERED)
async def test_a_store_that_does_not_answer_is_named_and_a_retry_may_help(
    proxy: FaultyProxy, stored: Blobs, impatient: Blobs, tmp_path: Path, wrong: Wrong
) -> None:
    small, large = await stored.put("jobs/a/b", b"content"), await store_large(stored)
    proxy.wrong = wrong
    for work in (
        lambda: impatient.put("jobs/a/c", b"other"),
        lambda: impatient.get(small),
        lambda: impatient.download(large, tmp_path / "large"),
        lambda: store_large(impatient),
        lambda: impatient.delete_prefix("jobs/a"),
        lambda: impatient.children("jobs"),
        impatient.check,
    ):
        with pytest.raises(StageError) as refused:
            await work()
        assert (refused.value.code, refused.value.reason) == (
            Code.UNAVAILABLE,
            "BLOB_STORE_UNAVAILABLE",
        )
        assert refused.value.retry_after
    proxy.wrong = None
    assert await stored.get(small) == b"content"
    await stored.download(large, tmp_path / "large")


@pytest.mark.parametrize("wrong", OF_READS)
async def test_an_object_that_arrives_damaged_is_never_shown(
    proxy: FaultyProxy, stored: Blobs, tmp_path: Path, wrong: Wrong
) -> None:
    small, large = await stored.put("jobs/a/b", b"content"), await store_large(stored)
    proxy.wrong = wrong
    cut = wrong is Wrong.CUT
    reason = "BLOB_STORE_UNAVAILABLE" if cut else "BLOB_CORRUPT"
    for work in (
        lambda: stored.get(small),
        lambda: stored.download(large, tmp_path / "large"),
    ):
        with pytest.raises(StageError) as refused:
            await work()
        assert refused.value.reason == reason


@pytest.mark.parametrize("wrong", OF_READS)
async def test_an_object_that_arrives_damaged_once_is_read_again(
    proxy: FaultyProxy, stored: Blobs, tmp_path: Path, wrong: Wrong
) -> None:
    small, large = await stored.put("jobs/a/b", b"content"), await store_large(stored)
    proxy.wrong, proxy.most = wrong, 1
    assert await stored.get(small) == b"content"
    assert proxy.made[wrong] == 1
    proxy.most = 2
    await stored.download(large, tmp_path / "large")
    assert proxy.made[wrong] == 2


async def test_the_last_part_of_an_object_is_never_left_out(
    proxy: FaultyProxy, stored: Blobs
) -> None:
    large = await store_large(stored)
    proxy.wrong = Wrong.SHORT
    with pytest.raises(StageError, match="damaged"):
        [piece async for piece in stored.read(large, 100, 1000)]


async def test_what_is_damaged_on_its_way_to_the_store_is_not_stored(
    proxy: FaultyProxy, stored: Blobs
) -> None:
    proxy.wrong = Wrong.DAMAGED_WRITE
    for write in (lambda: stored.put("jobs/a/b", b"content"), lambda: store_large(stored)):
        with pytest.raises(StageError) as refused:
            await write()
        assert refused.value.reason == "BLOB_STORE_UNAVAILABLE"
    assert not [each async for each in stored.stored("jobs/a")]
