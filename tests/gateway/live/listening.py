"""What a session kept, as samples."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import av
import numpy as np

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_core.samples import SAMPLE_NANOSECONDS
from maie_gateway.live.kept.flac import Samples
from maie_runtime.blobs import Blobs
from maie_runtime.bus.session_log import SessionLog
from tests.gateway.live.conftest import LiveMesh
from tests.waiting import PATIENCE_SECONDS


def decoded(path: Path) -> Samples:
    """The samples of an audio file of 16 kHz, mono."""
    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        assert (stream.rate, stream.channels) == (16_000, 1)
        frames = [frame.to_ndarray()[0] for frame in file.decode(stream)]
        found: Samples = np.concatenate(frames or [np.zeros(0, np.int16)])
        if len(found):
            assert stream.duration == len(found)
    return found


async def kept(client: Client, session_id: str, path: Path) -> Samples:
    """Waits for a session's job; gives the audio that it kept."""
    events = [each async for each in client.watch_job(session_id)]
    done = events[-1].finished.job
    assert done.state == job.JOB_STATE_COMPLETE, done.failures
    await client.save_audio(session_id, path)
    return decoded(path)


async def offsets(mesh: LiveMesh, session_id: str) -> dict[str, int]:
    """Where the tracks of a session begin by its log, in samples."""
    entries = [logged.entry for logged in await SessionLog(mesh.broker).read(session_id)]
    return {
        entry.track_began.join.track: round(
            entry.track_began.offset.ToNanoseconds() / SAMPLE_NANOSECONDS
        )
        for entry in entries
        if entry.HasField("track_began")
    }


def laid(sounds: Mapping[int, bytes]) -> Samples:
    """Sounds from their places on, added."""
    total = max(place + len(sound) // 2 for place, sound in sounds.items())
    sum_ = np.zeros(total, np.int32)
    for place, sound in sounds.items():
        sum_[place : place + len(sound) // 2] += np.frombuffer(sound, "<i2")
    return np.clip(sum_, -32768, 32767).astype(np.int16)


async def objects(mesh: LiveMesh, session_id: str) -> list[str]:
    """The stored objects of a session, without their digests."""
    found = [each.key async for each in Blobs(mesh.empty.mesh.blob_url).stored("")]
    return sorted(key.rpartition("-")[0] for key in found if session_id in key)


async def whole_alone(mesh: LiveMesh, session_id: str) -> None:
    """Waits until nothing is stored of a session's audio but the whole."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while any(key.startswith("live/") for key in await objects(mesh, session_id)):
            await asyncio.sleep(0.02)
    # The file, and the message that names it.
    names = [key for key in await objects(mesh, session_id) if key.endswith("/audio")]
    assert len(names) == 2
