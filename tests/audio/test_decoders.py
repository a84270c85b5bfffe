"""Decoding processes are confined, shared, and replaced when they end, without loss."""

from __future__ import annotations

import asyncio
import os
import signal

import numpy as np
import psutil
import pytest

from maie_audio.decoders import Decoder, Decoders
from maie_audio.formats import MAX_MESSAGE_BYTES, Encoding, Format, Limits, Part
from maie_audio.process import DecoderProcess
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from tests.audio.streams import (
    CONTAINERS,
    RATE,
    apart,
    contained,
    joined,
    likeness,
    packets,
    silent_flac,
    stream,
    whole,
)
from tests.waiting import until

pytestmark = pytest.mark.unit


def messages(encoding: Encoding, size: int = 2000) -> list[bytes]:
    if encoding == "opus":
        return packets()
    data = stream(encoding)
    return [data[begin : begin + size] for begin in range(0, len(data), size)]


async def decode(decoder: Decoder, messages: list[bytes]) -> list[Part]:
    return [part for message in messages for part in (await decoder.decode(message)).parts]


async def test_processes_start_with_the_first_audio_and_end_with_the_pool(fork_server):
    async with Decoders(fork_server) as pool:
        decoder = pool.open(Format(encoding="opus"))
        assert not pool.pids()
        await decoder.decode(packets()[0])
        (pid,) = pool.pids()
    assert not psutil.pid_exists(pid)


async def test_tracks_share_processes(fork_server):
    async with Decoders(fork_server, max_processes=2, tracks_per_process=2) as pool:
        tracks = [pool.open(Format(encoding="opus")) for _ in range(7)]
        for count, track in zip([1, 1, 2, 2, 2, 2, 2], tracks, strict=True):
            await track.decode(packets()[0])
            assert len(pool.pids()) == count


@pytest.mark.parametrize("encoding", list(CONTAINERS))
async def test_sound_is_that_of_the_whole_file(fork_server, encoding):
    async with Decoders(fork_server) as pool:
        sound = joined(await decode(pool.open(Format(encoding=encoding)), messages(encoding)))
    assert likeness(sound, whole(encoding)) > 0.999


async def test_the_longest_message_of_eight_channels_comes_through(fork_server):
    levels = np.arange(100, 900, 100, dtype=np.int16)
    data = contained("flac", np.repeat(levels[:, None], 10 * RATE, axis=1), RATE)
    assert len(data) < MAX_MESSAGE_BYTES
    async with Decoders(fork_server) as pool:
        decoder = pool.open(Format(encoding="flac", channels=8, split=True))
        heard = apart((await decoder.decode(data)).parts, 8)
    assert heard.shape[1] == pytest.approx(10 * RATE, abs=17)
    assert [set(channel) for channel in heard.tolist()] == [{level} for level in levels.tolist()]


async def test_a_track_continues_in_another_pool(fork_server):
    some = messages("webm_opus", 777)
    async with Decoders(fork_server) as pool:
        decoder = pool.open(Format(encoding="webm_opus"))
        parts: list[Part] = []
        for message in some[:20]:
            decoded = await decoder.decode(message)
            parts += decoded.parts
    async with Decoders(fork_server) as pool:
        decoder = pool.open(Format(encoding="webm_opus"), decoded.state)
        parts += await decode(decoder, some[20:])
    assert likeness(joined(parts), whole("webm_opus")) > 0.98


async def test_a_process_cannot_open_files_and_has_limits(fork_server):
    async with Decoders(fork_server, Limits(memory_bytes=400 * 1024 * 1024)) as pool:
        await pool.open(Format(encoding="opus")).decode(packets()[0])
        limits = psutil.Process(pool.pids()[0])
        assert limits.rlimit(psutil.RLIMIT_NOFILE) == (3, 3)
        assert limits.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
        assert limits.rlimit(psutil.RLIMIT_CORE) == (0, 0)
        assert limits.rlimit(psutil.RLIMIT_AS) == (400 * 1024 * 1024,) * 2


async def test_tracks_start_no_threads(fork_server):
    async with Decoders(fork_server, max_processes=1) as pool:
        for encoding in ("opus", *CONTAINERS):
            await decode(pool.open(Format(encoding=encoding)), messages(encoding)[:5])
        assert psutil.Process(pool.pids()[0]).num_threads() == 1


@pytest.mark.parametrize("busy", [False, True])
async def test_a_killed_process_costs_its_tracks_nothing(fork_server, busy):
    encodings: list[Encoding] = ["opus", *CONTAINERS]
    async with Decoders(fork_server, max_processes=1) as pool:
        tracks = {encoding: pool.open(Format(encoding=encoding)) for encoding in encodings}
        sound = {one: await decode(tracks[one], messages(one)[:9]) for one in encodings}
        (pid,) = pool.pids()
        if busy:
            os.kill(pid, signal.SIGSTOP)
        rest = {one: decode(tracks[one], messages(one)[9:]) for one in encodings}
        running = {one: asyncio.create_task(rest.pop(one)) for one in encodings if busy}
        await asyncio.sleep(0)
        os.kill(pid, signal.SIGKILL)
        await until(lambda: pid not in pool.pids())
        for one in encodings:
            sound[one] += await (running if busy else rest)[one]
    for container in CONTAINERS:
        assert likeness(joined(sound[container]), whole(container)) > 0.98


async def test_a_message_right_after_an_idle_process_died_goes_to_another(fork_server):
    async with Decoders(fork_server, max_processes=1) as pool:
        track = pool.open(Format(encoding="opus"))
        first = await track.decode(packets()[0])
        (pid,) = pool.pids()
        assert fork_server.pid is not None
        server = psutil.Process(fork_server.pid)
        server.suspend()  # so nobody knows yet what ended the process
        os.kill(pid, signal.SIGKILL)
        await until(lambda: not pool.pids())
        decoding = asyncio.create_task(track.decode(packets()[1]))
        await asyncio.sleep(0)
        server.resume()
        sound = joined([*first.parts, *(await decoding).parts])
        assert len(sound) == pytest.approx(640, abs=40)


class Crowded(Decoders):
    """A pool that is filled by a track's own process while it starts another one."""

    async def start(self) -> DecoderProcess:
        process = await super().start()
        if not self.pids():
            self.add(await super().start())
        return process


async def test_a_process_that_finds_no_room_when_it_has_started_ends(fork_server):
    async with Crowded(fork_server, max_processes=1) as pool:
        chosen = await pool.choose()
        assert pool.pids() == [chosen.pid]
        assert fork_server.pid is not None
        server = psutil.Process(fork_server.pid)
        await until(lambda: [child.pid for child in server.children()] == [chosen.pid])


async def test_a_frozen_process_is_replaced(fork_server):
    async with Decoders(fork_server, stall_seconds=3.0) as pool:
        decoder = pool.open(Format(encoding="flac"))
        parts = await decode(decoder, messages("flac")[:9])
        (pid,) = pool.pids()
        os.kill(pid, signal.SIGSTOP)
        parts += await decode(decoder, messages("flac")[9:])
        assert pid not in pool.pids()
    assert likeness(joined(parts), whole("flac")) > 0.98


async def test_a_message_that_ends_every_process_costs_only_its_own_track(fork_server):
    # A state that no decoder gave ends the process that takes it.
    async with Decoders(fork_server, max_processes=1) as pool:
        good = pool.open(Format(encoding="opus"))
        await good.decode(packets()[0])
        bad = pool.open(Format(encoding="opus"), b"no state")
        with pytest.raises(StageError) as failed:
            await bad.decode(packets()[0])
        assert (failed.value.code, failed.value.reason) == (Code.INTERNAL, Reason.DECODER_FAILED)
        assert len(joined((await good.decode(packets()[1])).parts)) == 320


async def test_a_message_that_takes_too_long_is_refused(fork_server):
    data = silent_flac()
    frame = b"\xff\xf8" + data.split(b"\xff\xf8")[1]
    limits = Limits(cpu_seconds=0, sound_seconds=1e9, silence_seconds=1e9)
    async with Decoders(fork_server, limits) as pool:
        decoder = pool.open(Format(encoding="flac"))
        await decoder.decode(data)
        with pytest.raises(StageError) as failed:
            await decoder.decode(frame * (MAX_MESSAGE_BYTES // len(frame)))
        assert failed.value.reason == Reason.AUDIO_PART_INVALID


async def test_an_error_leaves_the_track_as_it_was(fork_server):
    async with Decoders(fork_server) as pool:
        decoder = pool.open(Format(encoding="opus"))
        await decoder.decode(packets()[0])
        for bad in (b"", b"\xff" * 9, bytes(MAX_MESSAGE_BYTES + 1)):
            with pytest.raises(StageError) as refused:
                await decoder.decode(bad)
            assert refused.value.reason == Reason.AUDIO_PART_INVALID
        # The resampler's last millisecond, then 20 ms.
        assert len(joined((await decoder.decode(packets()[1])).parts)) == 320


async def test_a_cancelled_message_is_decoded_again(fork_server):
    async with Decoders(fork_server) as pool:
        decoder = pool.open(Format(encoding="ogg_opus"))
        some = messages("ogg_opus")
        parts = await decode(decoder, some[:9])
        cancelled = asyncio.create_task(decoder.decode(some[9]))
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.wait([cancelled])
        parts += await decode(decoder, some[9:])
    assert likeness(joined(parts), whole("ogg_opus")) > 0.98
