"""After DeleteJob no file holds a word of the job: not its name, its labels nor its text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Unpack

import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client, JobOptions
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import empty_stages
from tests.gateway.conftest import EmptyMesh
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

FEATURES = ("raw_transcript",)
Answer = Callable[[Any, StageContext, int], Sequence[Any]]
# What a person would look for: in the record, in the config, in the text and in the request.
NAMES = ("Xylophonia Quandary.wav", "QUUXLABEL", "Zanzibar hearing")
SECRET = "a secret of some length, Sesquipedalia"
WORDS = ("chunk", "Flibbertigibbet")


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"RECORDINGBYTES"


def files_with(folders: Sequence[Path], words: Sequence[str]) -> dict[str, list[str]]:
    """The files that hold a word in any case, by word."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    contents = {path: path.read_bytes().lower() for path in files}
    found = {
        word: [path.name for path, content in contents.items() if word.lower().encode() in content]
        for word in words
    }
    return {word: names for word, names in found.items() if names}


def speaks(word: str) -> Answer:
    """An ASR stage whose segments say a word."""
    plain = empty_stages()["asr"].answer

    def answer(request: Any, context: StageContext, chunks: int) -> Sequence[Any]:
        result = plain(request, context, chunks)[-1]
        for segment in result.result.segments:
            segment.text += f" {word}"
        return [result]

    return answer


def options(tag: str = "") -> JobOptions:
    return {
        "features": FEATURES,
        "filename": f"{tag}{NAMES[0]}",
        "labels": {"case": f"{tag}{NAMES[1]}"},
        "display_name": f"{tag}{NAMES[2]}",
        "request_id": f"{tag}{NAMES[2]}",
        "webhooks": [job.Webhook(url="http://127.0.0.1:9/hook", secret=f"{tag}{SECRET}")],
    }


@pytest.fixture
def disk(empty_mesh: EmptyMesh, tmp_path: Path) -> list[Path]:
    """All folders in which a mesh keeps anything."""
    database = tmp_path / "readmodel"
    database.mkdir()
    empty_mesh.gateway_options |= {
        "read_model": {"url": f"sqlite:///{database}/readmodel.db"},
        "webhooks": {"allowed_networks": ["127.0.0.0/8"]},
    }
    empty_mesh.stages["asr"].answer = speaks(WORDS[1])
    return [database, tmp_path / "blobs", empty_mesh.nats.store]


async def done(client: Client, **asked: Unpack[JobOptions]) -> job.Job:
    """A job, finished and found in lists and searches."""
    events = [told async for told in client.process(recording(), **asked)]
    finished = events[-1].finished.job
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not [hit async for hit in client.search_jobs(WORDS[1])]:
            await asyncio.sleep(0.05)
    return finished


async def test_no_file_holds_a_word_of_a_removed_job(
    empty_mesh: EmptyMesh, disk: list[Path]
) -> None:
    everything = (*NAMES, SECRET, *WORDS, "RECORDINGBYTES")
    async with empty_mesh.running() as client:
        kept = await client.create_job(recording(), features=FEATURES, filename="kept.wav")
        made = await done(client, **options())
        assert made.labels["case"] == NAMES[1]
        assert set(files_with(disk, (*NAMES, WORDS[1]))) == {*NAMES, WORDS[1]}
        await client.update_job(made.job_id, display_name="Zanzibar hearing, the second")
        for each in (kept.job_id, made.job_id):
            await client.delete_job(each)
        assert files_with(disk, everything) == {}
    await empty_mesh.nats.stop()
    assert files_with(disk, everything) == {}


async def test_what_other_jobs_are_called_stays(empty_mesh: EmptyMesh, disk: list[Path]) -> None:
    async with empty_mesh.running() as client:
        stays = await done(client, **options("one "))
        goes = await done(client, **options("two "))
        await client.delete_job(goes.job_id)
        assert set(files_with(disk, ("two " + NAMES[0], "two " + NAMES[1]))) == set()
        again = await client.get_job(stays.job_id)
        assert (again.config, again.display_name, again.labels) == (
            stays.config,
            stays.display_name,
            stays.labels,
        )
        assert again.config.filename == "one " + NAMES[0]
        assert [hit.job.job_id async for hit in client.search_jobs(WORDS[1])] == [stays.job_id]
    # Another gateway reads them from the disk.
    async with empty_mesh.gateway() as address, Client(address) as client:
        assert (await client.get_job(stays.job_id)).config == stays.config
        (listed,) = [shown async for shown in client.list_jobs()]
        assert (listed.display_name, listed.labels) == (stays.display_name, stays.labels)
