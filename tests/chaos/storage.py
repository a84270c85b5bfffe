"""Faults of what is stored: a store that is away, a disk that is full, a bit that flips."""

from __future__ import annotations

import asyncio
import shutil
import signal
from pathlib import Path

import obstore

from maie.job.v1 import job_pb2 as job
from maie_client import ClientError
from maie_runtime import folders
from tests.chaos.disk import SmallDisk, no_small_disk
from tests.chaos.fault import Break, Fault
from tests.chaos.requests import RETRY_SECONDS
from tests.chaos.world import STUCK_SECONDS, Setup, Store, World

STORE_AWAY_SECONDS = 1.5
# Long enough that units use up their attempts, and jobs fail.
FULL_SECONDS = (2.0, 9.0)
FULL = "BLOB_STORE_FULL"
MOST_THAT_FIT = 50
# The reasons that a submit may get while a disk is full; each says what to do.
REFUSALS = {"blobs": {FULL}, "nats": {"BROKER_UNAVAILABLE"}}
REFUSALS["."] = REFUSALS["blobs"] | REFUSALS["nats"]


async def _store_away(world: World) -> None:
    blobs = world.mesh.layout.blobs
    aside = _replace_by_file(blobs)  # every access fails
    await asyncio.sleep(STORE_AWAY_SECONDS)
    blobs.unlink()
    first, *later = aside
    first.rename(blobs)
    for each in later:
        shutil.copytree(each, blobs, dirs_exist_ok=True)
        shutil.rmtree(each)


def _replace_by_file(folder: Path) -> list[Path]:
    """Puts an empty file in place of a folder; returns where what was in it is now.

    A part that writes at that moment makes the folder anew, and what it stored there counts.
    """
    aside: list[Path] = []
    while True:
        aside.append(folder.with_name(f"{folder.name}-aside-{len(aside)}"))
        folder.rename(aside[-1])
        try:
            folder.write_bytes(b"")
        except IsADirectoryError:
            continue
        return aside


def _disk_full(name: str, folder: str, *, killed: str = "") -> Fault:
    """A disk is full for a while; a part that is killed meanwhile starts on it as it is."""

    async def happen(world: World) -> str | None:
        assert isinstance(world.disk, SmallDisk)
        await world.disk.fill()
        if killed:
            world.send(killed, signal.SIGKILL)
        refused, _ = await asyncio.gather(
            _refusal(world, REFUSALS[folder]),
            asyncio.sleep(world.chance.uniform(*FULL_SECONDS)),
        )
        world.disk.free()
        return refused

    return Fault(
        name=name,
        happen=happen,
        afterwards=take_up_failed({FULL}),
        setup=Setup(disk=folder),
        store=None if folder == "nats" else Store.FILE,
        missing=no_small_disk,
    )


async def _refusal(world: World, reasons: set[str]) -> str | None:
    """Submits jobs to a full disk until one is refused; says what is wrong with the answer.

    The last pages of files that are there may have room for a few.
    """
    for _ in range(MOST_THAT_FIT):
        try:
            await world.must_submit()
        except ClientError as error:
            if error.code.name == "UNAVAILABLE" and error.reason in reasons and error.retry_after:
                return None
            return f"a full disk was told as {error.code.name} {error.reason}: {error.message}"
    return f"{MOST_THAT_FIT} jobs were accepted onto a full disk"


def take_up_failed(reasons: set[str]) -> Break:
    """What a person does with jobs that failed for these reasons, once those are gone."""

    async def afterwards(world: World) -> str | None:
        for job_id in tuple(world.accepted):
            ended = await world.end_of(job_id)
            if ended is None or ended.state != job.JOB_STATE_FAILED:
                continue
            if any(failure.reason not in (*reasons, "") for failure in ended.failures):
                return f"job {job_id} failed with {[failure.reason for failure in ended.failures]}"
            await world.client.retry_job(job_id)
        return None

    return afterwards


async def _flipped_bit(world: World) -> str | None:
    """A stored result changes on the disk: reading it must name it, not show it."""
    job_id = await world.submit()
    if job_id is None or await world.end_of(job_id) is None:
        return "a job to damage did not end"
    prefix = f"{folders.of_job(job_id)}/enhancement.0000-"
    (key,) = [each for each in await world.stored() if each.startswith(prefix)]
    content = bytes(await (await obstore.get_async(world.objects, key)).bytes_async())
    await obstore.put_async(world.objects, key, bytes([content[0] ^ 1]) + content[1:])
    # A gateway still has what it read before the damage, which is right; a new one reads again.
    world.send("gateway", signal.SIGKILL)
    try:
        await _get_job_once_there(world, job_id)
    except ClientError as error:
        named = error.reason == "BLOB_CORRUPT" and key in error.message
        return None if named else f"the damage was told as {error.reason}: {error.message}"
    else:
        return "a damaged result was shown as if it were right"
    finally:
        await obstore.put_async(world.objects, key, content)


async def _get_job_once_there(world: World, job_id: str) -> None:
    async with asyncio.timeout(STUCK_SECONDS):
        while True:
            try:
                await world.client.get_job(job_id)
            except ClientError as error:
                if error.code.name != "UNAVAILABLE":
                    raise
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return


STORAGE_FAULTS = (
    Fault(name="object store away", happen=_store_away, store=Store.FILE),
    _disk_full("object store's disk full", "blobs"),
    _disk_full("broker's disk full", "nats"),
    _disk_full("broker killed on a full disk", "nats", killed="nats"),
    _disk_full("mesh's only disk full", "."),
    Fault(name="flipped bit in a result", happen=_flipped_bit),
)
