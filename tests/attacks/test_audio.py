"""Files that are no recordings, lie about what they are, or are far more than they seem."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from maie.job.v1 import job_pb2 as job
from tests.attacks.conftest import MAX_SECONDS, RAW, Besieged, Came, run_job
from tests.preprocess import recordings
from tests.preprocess.test_attacks import PLAYLISTS

pytestmark = pytest.mark.mesh

HOUR_SECONDS = 3600


async def content_of(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 1 << 20):
        yield content[start : start + (1 << 20)]


async def refused(mesh: Besieged, content: bytes, filename: str = "call.mp3") -> str:
    """Why a recording's job fails, as `CODE REASON`; empty where it is read."""
    async with mesh.client(mesh.ours) as client:
        ended = await run_job(client, content_of(content), filename=filename)
    if ended.state == job.JOB_STATE_COMPLETE:
        return ""
    assert ended.state == job.JOB_STATE_FAILED
    return f"{ended.failures[0].code} {ended.failures[0].reason}"


INVALID_ARGUMENT = 3


def because(*reasons: str) -> set[str]:
    return {f"{INVALID_ARGUMENT} {reason}" for reason in reasons}


def named(found: set[str]) -> str:
    """What came, with the name of the code in place of its number."""
    return ", ".join(sorted(each.replace("3 ", "INVALID_ARGUMENT ") for each in found))


@pytest.mark.attack(7)
async def test_bombs_are_refused_and_cost_little(mesh: Besieged, came: Came) -> None:
    # More than the mesh takes, said in one header and in the other not.
    hours = 2 * MAX_SECONDS / HOUR_SECONDS
    found = {
        await refused(mesh, recordings.long_flac(10)),
        await refused(mesh, recordings.long_flac(hours, states_length=False)),
    }
    assert found == because("AUDIO_TOO_LONG")
    for channels in (100, 65_535):
        content = recordings.raw_wav(bytes(64_000), channels=channels, rate=16_000)
        found.add(await refused(mesh, content))
    came(named(found))
    assert found == because("AUDIO_TOO_LONG", "AUDIO_CORRUPT")


@pytest.mark.attack(8)
async def test_no_list_of_files_is_followed(mesh: Besieged, came: Came) -> None:
    connections = 0

    async def count(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.close()

    async with await asyncio.start_server(count, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        urls = (f"http://127.0.0.1:{port}/a.mp3", "file:///etc/passwd", str(mesh.recording))
        texts = [
            PLAYLISTS[kind].format(url=url, port=port)
            for kind in ("hls", "concat", "sdp")
            for url in urls
        ]
        found = {await refused(mesh, text.encode()) for text in texts}
    came(f"{named(found)}; {connections} connections")
    assert found == because("UNSUPPORTED_FORMAT")
    assert connections == 0


@pytest.mark.attack(9)
async def test_what_is_damaged_is_named_so(mesh: Besieged, came: Came) -> None:
    sound = np.zeros(32_000, np.float32)
    sound[20_000] = np.nan
    broken = [
        recordings.raw_wav(bytes(64_000), channels=0, rate=16_000),
        recordings.raw_wav(sound.tobytes(), channels=1, rate=16_000, tag=3, bits=32),
        recordings.raw_wav(b"", channels=1, rate=16_000),
        b"fLaC" + bytes(1000),
        recordings.wav(recordings.speech(5))[:40],
        np.random.default_rng(0).bytes(5000),
    ]
    found = {await refused(mesh, content, "call.wav") for content in broken}
    came(named(found))
    reasons = ("AUDIO_CORRUPT", "AUDIO_EMPTY", "UNSUPPORTED_FORMAT", "AUDIO_TOO_SHORT")
    assert found <= because(*reasons)
    assert because("AUDIO_CORRUPT") <= found


@pytest.mark.attack(17)
@pytest.mark.slow
async def test_short_jobs_go_on_beside_hours_of_silence(mesh: Besieged, came: Came) -> None:
    long = recordings.long_flac(0.98 * MAX_SECONDS / HOUR_SECONDS, rate=48_000, channels=8)
    async with mesh.client(mesh.ours) as ours, mesh.client(mesh.theirs) as theirs:
        slow = [asyncio.create_task(run_job(ours, content_of(long))) for _ in range(4)]
        short = await run_job(theirs, mesh.recording, interactive=True)
        unfinished = sum(not each.done() for each in slow)
        assert short.state == job.JOB_STATE_COMPLETE
        states = {job.JobState.Name(each.state) for each in await asyncio.gather(*slow)}
        claimed = await run_job(ours, content_of(recordings.long_flac(17)), features=RAW)
    assert claimed.failures[0].reason == "AUDIO_TOO_LONG"
    assert states <= {"JOB_STATE_COMPLETE", "JOB_STATE_FAILED"}
    came(f"the short job ended while {unfinished} of 4 long ones ran; AUDIO_TOO_LONG")
