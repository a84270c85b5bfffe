"""A download goes on where a broken call left it, and what came is checked."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import ClientError
from maie_client.download import AudioParts, save, stored_audio

pytestmark = pytest.mark.unit

CONTENT = bytes(range(256)) * 10
PATIENCE = timedelta(minutes=1)


class Gateway:
    """Gives audio in pieces, and breaks each call but the last after two of them."""

    def __init__(self, breaks: int, sha256: str = hashlib.sha256(CONTENT).hexdigest()) -> None:
        self.starts: list[int] = []
        self._breaks = breaks
        self._info = job.AudioInfo(size_bytes=len(CONTENT), sha256=sha256, filename="talk.wav")

    async def get(self, start: int, most: int) -> AudioParts:
        self.starts.append(start)
        end = min(start + most, len(CONTENT)) if most else len(CONTENT)
        yield job.GetAudioResponse(info=self._info)
        for number, place in enumerate(range(start, end, 400)):
            if number == 2 and len(self.starts) <= self._breaks:
                raise ClientError(grpc.StatusCode.UNAVAILABLE, "", "It is gone.")
            yield job.GetAudioResponse(audio=CONTENT[place : min(end, place + 400)])


async def test_a_download_goes_on_where_it_broke(tmp_path: Path) -> None:
    gateway = Gateway(breaks=2)
    info = await save(stored_audio(gateway.get, PATIENCE), tmp_path / "talk")
    assert (tmp_path / "talk").read_bytes() == CONTENT
    assert gateway.starts == [0, 800, 1600]
    assert info.filename == "talk.wav"


@pytest.mark.parametrize(("start", "most"), [(0, 0), (5, 0), (5, 1), (5, 1700), (0, 9999)])
async def test_a_part_goes_on_where_it_broke(start: int, most: int) -> None:
    parts = stored_audio(Gateway(breaks=2).get, PATIENCE, start, most)
    found = b"".join([part.audio async for part in parts])
    assert found == CONTENT[start : start + most if most else None]


async def test_the_info_comes_once() -> None:
    parts = [part async for part in stored_audio(Gateway(breaks=2).get, PATIENCE)]
    assert [part.WhichOneof("part") for part in parts] == ["info"] + ["audio"] * 7


async def test_other_audio_than_was_stored_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ClientError) as corrupt:
        await save(stored_audio(Gateway(0, "0" * 64).get, PATIENCE), tmp_path / "talk")
    assert corrupt.value.reason == "BLOB_CORRUPT"
    assert not (tmp_path / "talk").exists()


async def test_a_call_that_never_works_gives_its_error() -> None:
    async def get(start: int, most: int) -> AudioParts:
        raise ClientError(grpc.StatusCode.UNAVAILABLE, "BROKER_UNAVAILABLE", "NATS is gone.")
        yield

    with pytest.raises(ClientError) as gone:
        async for _ in stored_audio(get, timedelta()):
            pass
    assert gone.value.reason == "BROKER_UNAVAILABLE"
