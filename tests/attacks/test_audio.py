"""Files that are no recordings, lie about what they are, or are far more than they seem."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import numpy as np
import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_pipeline.states import FINAL_STATES
from tests.attacks.conftest import MAX_SECONDS, RAW, Besieged, Came, answer, run_job
from tests.preprocess import recordings
from tests.preprocess.test_attacks import PLAYLISTS
from tests.preprocess.test_containers import KINDS

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


def damaged() -> dict[str, tuple[str, bytes]]:
    """Recordings that are none any more, and the reason that each must be refused with."""
    sound = np.zeros(32_000, np.float32)
    sound[20_000] = np.nan
    whole = recordings.encode(recordings.speech(5), **KINDS["flac"])
    fuzzed = bytearray(whole)
    fuzzed[8:4096] = np.random.default_rng(0).bytes(4088)
    nan = recordings.raw_wav(sound.tobytes(), channels=1, rate=16_000, tag=3, bits=32)
    return {
        "0 channels": ("AUDIO_CORRUPT", recordings.raw_wav(bytes(64_000), channels=0, rate=16_000)),
        "NaN": ("AUDIO_CORRUPT", nan),
        "truncated header": ("AUDIO_CORRUPT", whole[:40]),
        "nothing after the header": ("AUDIO_CORRUPT", b"fLaC" + bytes(1000)),
        "fuzzed": ("AUDIO_CORRUPT", bytes(fuzzed)),
        # A whole file without a sample is not damaged.
        "empty": ("AUDIO_EMPTY", recordings.raw_wav(b"", channels=1, rate=16_000)),
    }


@pytest.mark.attack(9)
async def test_what_is_damaged_is_named_so(mesh: Besieged, came: Came) -> None:
    broken = damaged()
    found = {
        name: await refused(mesh, content, "call.wav") for name, (_, content) in broken.items()
    }
    async with mesh.client(mesh.ours) as client:
        nothing = await answer(client.create_job(content_of(b""), features=RAW))
    came(f"{named(set(found.values()))}; of no bytes at all {nothing}")
    assert found == {name: f"{INVALID_ARGUMENT} {reason}" for name, (reason, _) in broken.items()}
    assert nothing == "INVALID_ARGUMENT AUDIO_EMPTY"


# Two of them keep the slots of ASR busy for far longer than the short jobs take.
LONG_SECONDS = 360
SHORT_JOBS = 3


def long_speech() -> bytes:
    """Minutes of speech."""
    return recordings.wav(np.resize(recordings.speech(40), LONG_SECONDS * recordings.RATE))


async def begun(client: Client, job_id: str) -> None:
    """Waits until a job's speech is being recognised."""
    async with aclosing(client.watch_job(job_id)) as events:
        async for each in events:
            if each.HasField("segment"):
                return


@pytest.mark.attack(17)
@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_short_jobs_go_on_beside_long_ones(mesh: Besieged, came: Came) -> None:
    content, bomb = long_speech(), recordings.long_flac(10, states_length=False)
    async with mesh.client(mesh.ours) as ours, mesh.client(mesh.theirs) as theirs:
        claimed = await run_job(ours, content_of(recordings.long_flac(17)))
        assert claimed.failures[0].reason == "AUDIO_TOO_LONG"
        made = [await ours.create_job(content_of(content), features=RAW) for _ in range(2)]
        await begun(ours, made[0].job_id)
        # Hours of silence without a stated length, which are decoded, as fast as they are refused.
        silence = asyncio.create_task(bombs(ours, bomb))
        for _ in range(SHORT_JOBS):
            short = await run_job(theirs, mesh.recording, interactive=True)
            assert short.state == job.JOB_STATE_COMPLETE, short.failures
        states = [(await ours.get_job(each.job_id)).state for each in made]
        for each in made:
            await ours.cancel_job(each.job_id)
        silence.cancel()
        await asyncio.gather(silence, return_exceptions=True)
    came(
        f"AUDIO_TOO_LONG by its header; {SHORT_JOBS} short jobs one after another while "
        f"{sum(state not in FINAL_STATES for state in states)} of 2 long ones ran"
    )
    assert not any(state in FINAL_STATES for state in states), states


async def bombs(client: Client, content: bytes) -> None:
    """Sends a recording again and again."""
    while True:
        ended = await run_job(client, content_of(content))
        assert ended.failures[0].reason == "AUDIO_TOO_LONG"
