"""Processes are forked from one that has loaded their code, and share nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

import psutil
import pytest

from maie_audio import wire
from maie_audio.confined_process import ConfinedProcess
from maie_audio.decoders import PROGRAM, Decoders
from maie_audio.fork_server import ForkServer, StartError
from maie_audio.formats import Format, Limits
from tests.audio.streams import joined, packets
from tests.waiting import until

pytestmark = [
    pytest.mark.unit,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc"),
]

LIMITS = json.dumps(asdict(Limits()))


@asynccontextmanager
async def started(fork_server: ForkServer) -> AsyncIterator[ConfinedProcess]:
    """A process that is confined and waits for its first message."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = await fork_server.start(LIMITS, stdin=theirs.fileno(), buffer_bytes=1024)
        try:
            ready = await process.stdout.readexactly(wire.HEADER.size)
            assert ready == wire.pack(wire.READY, 0)
            yield process
        finally:
            await process.end()


def server_of(fork_server: ForkServer) -> psutil.Process:
    assert fork_server.pid is not None
    return psutil.Process(fork_server.pid)


def open_files(pid: int) -> set[str]:
    return set(os.listdir(f"/proc/{pid}/fd"))


def has_ended(pid: int) -> bool:
    """Whether a process runs no more, though perhaps nobody has asked for its status."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


async def test_processes_are_forked_from_one_server(fork_server):
    async with started(fork_server) as one, started(fork_server) as two:
        server = server_of(fork_server)
        assert {one.pid, two.pid} <= {child.pid for child in server.children()}
        assert server.ppid() == os.getpid()
        # A signal to a process group reaches one of them.
        assert len({os.getpgid(pid) for pid in (one.pid, two.pid, server.pid, os.getpid())}) == 4


async def test_one_process_ends_without_the_other(fork_server):
    async with started(fork_server) as one:
        async with started(fork_server) as two:
            os.kill(two.pid, signal.SIGSTOP)
        assert has_ended(two.pid)
        assert await two.wait() == -signal.SIGKILL
        assert not has_ended(one.pid)


@pytest.mark.parametrize("number", [signal.SIGXCPU, signal.SIGTERM, signal.SIGKILL])
async def test_the_signal_that_ended_a_process_is_known(fork_server, number):
    async with started(fork_server) as process:
        os.kill(process.pid, number)
        assert await process.wait() == -number


async def test_an_error_of_a_process_is_known(fork_server):
    process = await fork_server.start("[]", stdin=0, buffer_bytes=1024)
    assert await process.wait() == 1
    assert (await process.end()).startswith("TypeError: ")


async def test_a_process_has_only_its_own_files(fork_server):
    async with started(fork_server) as one:
        before = open_files(server_of(fork_server).pid), open_files(os.getpid())
        async with started(fork_server) as two:
            for process in (one, two):
                assert open_files(process.pid) == {"0", "1", "2"}
            names = {
                os.readlink(f"/proc/{pid}/fd/{n}") for pid in (one.pid, two.pid) for n in "012"
            }
            assert len(names) == 6
        # The server closes its own last, after it has said that the process ended.
        await until(
            lambda: (open_files(server_of(fork_server).pid), open_files(os.getpid())) == before
        )


async def test_the_environment_of_the_service_is_not_inherited(monkeypatch):
    monkeypatch.setenv("MAIE_SECRET", "hidden")
    with ForkServer(PROGRAM) as fork_server:
        async with started(fork_server) as process:
            for pid in (process.pid, server_of(fork_server).pid):
                assert "MAIE_SECRET" not in psutil.Process(pid).environ()


async def test_the_server_has_one_thread(fork_server):
    async with started(fork_server):
        assert server_of(fork_server).num_threads() == 1


async def test_an_idle_server_that_was_killed_is_replaced():
    with ForkServer(PROGRAM) as fork_server:
        async with started(fork_server):
            killed = server_of(fork_server)
        killed.kill()
        await until(lambda: has_ended(killed.pid))
        async with started(fork_server) as process:
            assert psutil.Process(process.pid).ppid() == fork_server.pid != killed.pid
        assert not psutil.pid_exists(killed.pid)


async def test_processes_end_with_their_server():
    with ForkServer(PROGRAM) as fork_server:
        async with started(fork_server) as one, started(fork_server) as two:
            os.kill(one.pid, signal.SIGSTOP)
            server_of(fork_server).kill()
            assert await one.wait() == await two.wait() == -signal.SIGKILL
            await until(lambda: has_ended(one.pid) and has_ended(two.pid))


async def test_the_end_of_the_server_costs_tracks_nothing():
    with ForkServer(PROGRAM) as fork_server:
        async with Decoders(fork_server) as pool:
            track = pool.open(Format(encoding="opus"))
            await track.decode(packets()[0])
            server_of(fork_server).kill()
            # The resampler's last millisecond, then 20 ms.
            assert len(joined((await track.decode(packets()[1])).parts)) == 320


async def test_a_crash_gives_later_processes_another_server():
    with ForkServer(PROGRAM) as fork_server:
        async with started(fork_server) as old:
            first = server_of(fork_server)
            async with started(fork_server) as crashed:
                os.kill(crashed.pid, signal.SIGSEGV)
                assert await crashed.wait() == -signal.SIGSEGV
            async with started(fork_server) as new:
                assert psutil.Process(new.pid).ppid() == fork_server.pid != first.pid
                assert not has_ended(old.pid)
        await until(lambda: has_ended(first.pid))


async def test_a_start_that_is_cancelled_leaves_no_process(fork_server):
    async with started(fork_server) as process:
        server = server_of(fork_server)
        for turns in range(4):
            starting = asyncio.create_task(fork_server.start(LIMITS, stdin=0, buffer_bytes=1024))
            for _ in range(turns):
                await asyncio.sleep(0)
            starting.cancel()
            await asyncio.wait([starting])
            assert starting.cancelled()
        await until(lambda: [child.pid for child in server.children()] == [process.pid])


async def test_a_server_that_cannot_start_says_why():
    with ForkServer("maie_audio.nothing") as fork_server, pytest.raises(StartError) as failed:
        await fork_server.start(stdin=0, buffer_bytes=1024)
    assert "No module named 'maie_audio.nothing'" in str(failed.value)


@pytest.mark.slow
async def test_a_server_that_hangs_is_replaced():
    with ForkServer(PROGRAM, answer_seconds=20.0) as fork_server:
        async with started(fork_server) as held:
            server_of(fork_server).suspend()
            async with started(fork_server) as process:
                assert not has_ended(process.pid)
            assert await held.wait() == -signal.SIGKILL


SERVICE = """
import asyncio, sys
from maie_audio.decoders import PROGRAM, Decoders
from maie_audio.fork_server import ForkServer
from maie_audio.formats import Format

async def main():
    with ForkServer(PROGRAM) as fork_server:
        async with Decoders(fork_server) as pool:
            await pool.open(Format(encoding="opus")).decode(bytes.fromhex(sys.argv[1]))
            print(fork_server.pid, *pool.pids(), flush=True)
            await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("hangs", [False, True])
async def test_all_end_with_their_service(hangs):
    service = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVICE, packets()[0].hex(), stdout=PIPE
    )
    try:
        assert service.stdout is not None
        pids = [int(pid) for pid in (await service.stdout.readline()).split()]
        assert len(pids) == 2
        for pid in pids if hangs else []:
            os.kill(pid, signal.SIGSTOP)
    finally:
        service.kill()
        await service.wait()
    await until(lambda: all(has_ended(pid) for pid in pids))
