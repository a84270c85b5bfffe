"""Many recordings of a real S3 bucket, through a proxy whose answers are wrong."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import obstore
import pytest
from obstore.exceptions import BaseError

from maie_cli.align import retries
from maie_cli.align.budget import ByteBudget
from maie_cli.align.retries import again
from maie_cli.align.sources import BucketSource, Found
from maie_runtime import object_store
from tests.cli.align.test_command import _mesh  # noqa: F401 - a fixture
from tests.cli.command import maie_at
from tests.gateway.conftest import EmptyMesh, empty_mesh  # noqa: F401 - a fixture
from tests.s3.proxy import FaultyProxy, Wrong
from tests.s3.server import BUCKET, S3Server, environment_for, no_s3_server

pytestmark = [
    pytest.mark.mesh,
    pytest.mark.skipif(no_s3_server() is not None, reason=str(no_s3_server())),
]

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with S3Server(tmp_path_factory.mktemp("s3") / "data") as running:
        yield running


@pytest.fixture
async def proxy(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FaultyProxy]:
    async with FaultyProxy(target=server.address, chance=random.Random(1)) as running:
        for name, value in environment_for(running.address).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(object_store, "SILENCE_SECONDS", timedelta(seconds=2))
        monkeypatch.setattr(object_store, "RETRY_SECONDS", timedelta(seconds=1))
        monkeypatch.setattr(retries, "FIRST_SECONDS", 0.05)
        yield running


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


async def stored(server: S3Server, contents: dict[str, bytes]) -> str:
    """A part of the bucket with these objects; gives its URL."""
    prefix = secrets.token_hex(4)
    for name, content in contents.items():
        await obstore.put_async(server.objects(), f"{prefix}/{name}", content)
    return f"s3://{BUCKET}/{prefix}"


def left_in(folder: Path) -> list[Path]:
    """What is in a folder."""
    return list(folder.iterdir())


@pytest.mark.parametrize("wrong", [Wrong.BUSY, Wrong.RESET, Wrong.CUT, Wrong.SHORT])
async def test_a_store_that_fails_is_asked_again(
    server: S3Server, proxy: FaultyProxy, temporary: Path, wrong: Wrong
):
    content = secrets.token_bytes(3 * MIB)
    url = await stored(server, {"a/=1 ü.wav": content, "notes.txt": b"none"})
    source = BucketSource(url, ByteBudget(MIB))
    proxy.wrong, proxy.most = wrong, 3
    found = await source.list()
    assert list(found) == ["a/=1 ü.wav"]
    async with source.fetch(found["a/=1 ü.wav"]) as path:
        assert path.read_bytes() == content
        assert path.name == "recording.wav"
        assert temporary in path.parents
    assert proxy.made[wrong]
    assert left_in(temporary) == []


async def test_a_recording_that_stays_broken_leaves_nothing_behind(
    server: S3Server, proxy: FaultyProxy, temporary: Path
):
    url = await stored(server, {"a.wav": secrets.token_bytes(2 * MIB)})
    budget = ByteBudget(MIB)
    source = BucketSource(url, budget)
    found = (await source.list())["a.wav"]
    proxy.wrong = Wrong.SHORT
    with pytest.raises((BaseError, OSError)):
        async with source.fetch(found):
            pass
    assert (left_in(temporary), budget.lent) == ([], 0)
    with pytest.raises(FileNotFoundError, match="since the bucket was listed"):
        proxy.wrong = None
        async with source.fetch(Found(name="no.wav", size=1)):
            pass
    assert left_in(temporary) == []


async def test_a_download_that_is_cancelled_leaves_nothing_behind(
    server: S3Server, proxy: FaultyProxy, temporary: Path
):
    url = await stored(server, {"a.wav": secrets.token_bytes(MIB)})
    budget = ByteBudget(MIB)
    source = BucketSource(url, budget)
    found = (await source.list())["a.wav"]
    proxy.wrong = Wrong.HUNG

    async def fetch() -> None:
        async with source.fetch(found):
            raise AssertionError("there is no answer")

    fetching = asyncio.create_task(fetch())
    while not proxy.made:
        await asyncio.sleep(0.01)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert (left_in(temporary), budget.lent) == ([], 0)


async def test_bytes_in_flight_are_capped_and_a_large_recording_is_alone():
    budget, most = ByteBudget(10), 0
    together: list[int] = []

    async def use(size: int) -> None:
        nonlocal most
        async with budget.lend(size):
            together.append(size)
            most = max(most, sum(together))
            assert len(together) == 1 or sum(together) <= 10
            await asyncio.sleep(0.001)
            together.remove(size)

    sizes = [4, 4, 25, 4, 1, 10, 9, 2] * 5
    await asyncio.gather(*map(use, sizes))
    assert (most, budget.lent) == (25, 0)
    waiting = asyncio.create_task(use(3))
    async with budget.lend(9):
        await asyncio.sleep(0)
        waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert budget.lent == 0


@pytest.mark.parametrize(
    ("error", "tries"), [(OSError("reset"), retries.ATTEMPTS), (PermissionError("no"), 1)]
)
async def test_pauses_grow_and_what_cannot_change_is_not_tried_again(error: OSError, tries: int):
    pauses: list[float] = []
    asked: list[int] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def fail() -> None:
        asked.append(1)
        raise error

    with pytest.raises(type(error), match=str(error)):
        await again(fail, sleep)
    assert len(asked) == tries
    assert len(pauses) == tries - 1
    assert not pauses or pauses[-1] > pauses[0]


async def test_a_bucket_is_compared_and_resumed_through_faults(
    mesh: EmptyMesh, server: S3Server, proxy: FaultyProxy, tmp_path: Path
):
    names = [f"{number}.wav" for number in range(6)]
    url = await stored(server, {name: secrets.token_bytes(1000) for name in names})
    table, output = tmp_path / "texts.csv", tmp_path / "out"
    table.write_text("recording,text\n" + "".join(f"{name},Once upon\n" for name in names))
    clips = await stored(server, {})
    asked = ("align", url, "--texts", table, "-o", output, "--quiet", "--in-flight", "1")
    environment = environment_for(proxy.address)
    proxy.wrong, proxy.share = Wrong.BUSY, 0.3
    async with mesh.running() as client:
        code, _, noted = await maie_at(client.address, *asked, environment=environment)
        assert code == 0, noted
        assert "6 of 6 recordings, 0 failed, 0 done before; 30 of 42 words correct" in noted
        code, _, noted = await maie_at(client.address, *asked, environment=environment)
        assert "0 failed, 6 done before" in noted
        assert len([each async for each in client.list_jobs()]) == 6
        # These are no recordings that could be cut, so the reasons are in the report.
        code, _, noted = await maie_at(
            client.address, *asked, "--clips", "wav", "--clips-to", clips, environment=environment
        )
        assert (code, "6 failed" in noted) == (2, True)
    found = json.loads((output / "readings.json").read_text())
    errors = {row["error"] for row in found["recordings"]}
    assert errors == {"No clips: the recording cannot be decoded."}
    assert proxy.made[Wrong.BUSY]
