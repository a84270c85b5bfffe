"""Faults of those who watch: they leave, stop reading, freeze, or are cut off without a word."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from tests.chaos.fault import Fault
from tests.chaos.service import TALKATIVE
from tests.chaos.silence import SilentProxy
from tests.chaos.world import ROOT, STUCK_SECONDS, World, now

WATCHERS = 20
# All events of the largest job would take twenty-four for each watcher.
MAX_MEBIBYTES_EACH = 12.0
# The gateway asks a silent peer after 20 s and waits 10 s; it may have asked just before.
DROPPED_SECONDS = 45.0
ESTABLISHED = "01"


async def _leaving(world: World) -> None:
    """Watchers that receive one event and leave."""
    for job_id in list(world.accepted)[:20]:
        watching = world.client.watch_job(job_id)
        await anext(watching)
        await watching.aclose()


async def _deaf(world: World) -> str | None:
    """Watchers that stop reading while their job sends megabytes, and continue at its end."""
    job_id = await world.must_submit(TALKATIVE)
    before = _memory(world)
    async with Watchers(world.mesh.gateway, job_id, WATCHERS) as watchers:
        if (ended := await world.end_of(job_id)) is None or ended.state != job.JOB_STATE_COMPLETE:
            return "a job whose watchers do not read did not complete"
        grown = (_memory(world) - before) / WATCHERS
        heard = await asyncio.gather(*(_sequences(events) for events in watchers.events))
    if grown > MAX_MEBIBYTES_EACH:
        return f"the gateway keeps {grown:.1f} MiB for each watcher that does not read"
    return next((wrong for told in heard if (wrong := _gap([1, *told]))), None)


async def _frozen(world: World) -> str | None:
    """A watching process that is stopped: its kernel answers, it does not."""
    job_id = await world.must_submit(TALKATIVE)
    before = _peers(world)
    watcher = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.watchers", world.mesh.gateway, job_id),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert watcher.stdout is not None
        await watcher.stdout.readline()
        connected = _peers(world) - before
        watcher.send_signal(signal.SIGSTOP)
        wrong = await _dropped(world, connected)
        watcher.send_signal(signal.SIGCONT)
        async with asyncio.timeout(STUCK_SECONDS):
            told, _ = await watcher.communicate()
        return wrong or _gap([1, *map(int, told.split())])
    finally:
        if watcher.returncode is None:
            watcher.kill()
            await watcher.wait()


async def _half_open(world: World) -> str | None:
    """A watcher whose connection goes silent: nothing comes through and nobody hangs up."""
    job_id = await world.must_submit(TALKATIVE)
    async with (
        SilentProxy(world.mesh.gateway) as proxy,
        Client(proxy.address) as client,
        aclosing(client.watch_job(job_id)) as events,
    ):
        first = await anext(events)
        connected = proxy.upstream_ports & _peers(world)
        proxy.fall_silent()
        rest = asyncio.create_task(_sequences(events))
        wrong = await _dropped(world, connected)
        async with asyncio.timeout(STUCK_SECONDS):
            return wrong or _gap([first.sequence, *await rest])


async def _sequences(events: AsyncIterator[job.JobEvent]) -> list[int]:
    """The sequences of the durable events, to the job's end."""
    return [event.sequence async for event in events if event.sequence]


def _gap(sequences: list[int]) -> str | None:
    whole = list(range(1, len(sequences) + 1))
    return None if sequences == whole else f"a watcher heard the events {sequences}"


async def _dropped(world: World, ports: set[int]) -> str | None:
    """Waits until the gateway has hung up on clients; says so where it does not."""
    if not ports:
        return "a watcher to lose was not connected"
    deadline = now() + DROPPED_SECONDS
    while ports & _peers(world):
        if now() > deadline:
            return f"a silent watcher was still connected after {DROPPED_SECONDS:.0f} s"
        await asyncio.sleep(0.5)
    return None


def _peers(world: World) -> set[int]:
    """The ports of those who are connected to the gateway, by its kernel's own table."""
    own = int(world.mesh.gateway.rpartition(":")[2])
    # gRPC listens on sockets for both kinds of addresses.
    tables = (Path(f"/proc/net/{table}").read_text() for table in ("tcp", "tcp6"))
    rows = [line.split() for table in tables for line in table.splitlines()[1:]]
    return {
        int(row[2].rpartition(":")[2], 16)
        for row in rows
        if row[3] == ESTABLISHED and int(row[1].rpartition(":")[2], 16) == own
    }


def _memory(world: World) -> float:
    """The gateway's resident memory in MiB."""
    status = Path(f"/proc/{world.mesh.children['gateway'].pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


class Watchers:
    """Watchers of one job, each on a connection of its own, that received one event."""

    def __init__(self, address: str, job_id: str, count: int) -> None:
        self._clients = [Client(address) for _ in range(count)]
        self._job_id = job_id

    async def __aenter__(self) -> Watchers:
        for client in self._clients:
            await client.__aenter__()
        self.events = [client.watch_job(self._job_id) for client in self._clients]
        await asyncio.gather(*(anext(events) for events in self.events))
        return self

    async def __aexit__(self, *_: object) -> None:
        for events in self.events:
            await events.aclose()
        for client in self._clients:
            await client.__aexit__(None, None, None)


async def main(address: str, job_id: str) -> None:
    """Watches a job and prints the sequence of each durable event."""
    async with Client(address) as client:
        async for event in client.watch_job(job_id):
            if event.sequence:
                print(event.sequence, flush=True)


WATCHER_FAULTS = (
    Fault(name="watchers that leave", happen=_leaving),
    Fault(name="watchers that stop reading", happen=_deaf),
    Fault(name="watcher frozen", happen=_frozen),
    Fault(name="watcher half open", happen=_half_open),
)

if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
