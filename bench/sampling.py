"""Memory, files, streams and disk of running meshes, sampled over time."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from nats.aio.client import Client
from psutil import NoSuchProcess, Process

from bench.growth import Series
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.parts import NATS

MEGABYTE = 1e6
# At 5 jobs/s these are 280 bytes for each job.
MEMORY_PER_HOUR = 5.0
# nats-server keeps the block of up to 8 MB that a stream writes in memory until it is full, which
# takes from minutes to hours, and Go's heap takes twice what it holds.
BROKER_MEMORY_SWING = 16.0
FILES_PER_HOUR = 6.0
# Pools begin a thread when all that they have are busy at once, which may come late.
THREADS_SWING = 4.0
# What is kept is that of the last minutes, so its level follows the flow of jobs.
SHARE_PER_HOUR = 0.3
MESSAGES_PER_HOUR = 100.0
DISK_PER_HOUR = 5.0
# A stream's files are blocks of up to 8 MB, written anew as a whole, perhaps once in 20 minutes.
BROKER_DISK_PER_HOUR = 24.0
# SQLite begins its log anew after 4 MB where no reader holds it.
WAL_BYTES = 5_000_000
PATIENCE_SECONDS = 30.0


class Sampler:
    """Samples meshes.

    Args:
        meshes: The meshes, by what their parts' names begin with.
        swings: By how much the memory of a mesh's parts may stand higher or
            lower with what they have in hand, in MB; 0 where unset.

    Attributes:
        series: What was sampled, in the order of its first sample.
        restarts: The parts that did not live through the whole time.
    """

    def __init__(self, meshes: Mapping[str, LocalMesh], swings: Mapping[str, float]) -> None:
        self.series: dict[tuple[str, str], Series] = {}
        self.restarts: list[str] = []
        self._meshes = meshes
        self._swings = swings
        self._started = time.monotonic()
        self._pids: dict[str, int | None] = {}
        # Kept open: the server remembers its last 10,000 closed connections.
        self._clients: dict[str, Client] = {}

    async def close(self) -> None:
        """Closes its connections."""
        for client in self._clients.values():
            await client.close()

    async def sample(self) -> None:
        """Adds one sample of everything."""
        for prefix, mesh in self._meshes.items():
            for name, child in mesh.children.items():
                self._note_restart(prefix + name, child.pid)
                if child.pid is not None:
                    own = self._swings.get(prefix, 0.0)
                    swing = BROKER_MEMORY_SWING if name == NATS else own
                    self._sample_process(prefix + name, child.pid, swing)
            await self._sample_streams(prefix, mesh)
            await asyncio.to_thread(self._sample_disk, prefix, mesh)

    def _note_restart(self, name: str, pid: int | None) -> None:
        if self._pids.setdefault(name, pid) != pid:
            self.restarts.append(name)
            self._pids[name] = pid

    def _sample_process(self, name: str, pid: int, swing: float) -> None:
        try:
            process = Process(pid)
            memory = process.memory_full_info()
            self._add(name, "own memory", own_memory(pid), "MB", MEMORY_PER_HOUR, swing=swing)
            # Both count pages of files, too, which end with the files; PSS falls and rises as
            # other programs come and go that share them.
            self._add(name, "RSS", memory.rss / MEGABYTE, "MB")
            self._add(name, "PSS", memory.pss / MEGABYTE, "MB")
            self._add(name, "open files", process.num_fds(), "", FILES_PER_HOUR)
            threads = process.num_threads()
            self._add(name, "threads", threads, "", FILES_PER_HOUR, swing=THREADS_SWING)
            children = process.children(recursive=True)
            if children or (name, "child processes") in self.series:
                self._add(name, "child processes", len(children), "", FILES_PER_HOUR)
            own = sum(own_memory(child.pid) for child in children)
        except (NoSuchProcess, FileNotFoundError, ProcessLookupError):
            return  # the next sample shows whether it was a part
        if own:
            self._add(f"{name}, children", "own memory", own, "MB", MEMORY_PER_HOUR)

    async def _sample_streams(self, prefix: str, mesh: LocalMesh) -> None:
        client = self._clients.get(prefix)
        if client is None:
            client = self._clients[prefix] = Client()
            await client.connect(mesh.children[NATS].part.address)
        for info in await client.jetstream(timeout=PATIENCE_SECONDS).streams_info():
            name = f"{prefix}{info.config.name}"
            self._add(name, "messages", info.state.messages, "", MESSAGES_PER_HOUR, SHARE_PER_HOUR)
            size = info.state.bytes / MEGABYTE
            self._add(name, "bytes", size, "MB", DISK_PER_HOUR, SHARE_PER_HOUR)

    def _sample_disk(self, prefix: str, mesh: LocalMesh) -> None:
        layout = mesh.layout
        for name, files, per_hour in (
            ("broker", _below(layout.nats), BROKER_DISK_PER_HOUR),
            ("blobs", _below(layout.blobs), DISK_PER_HOUR),
            ("read model", [layout.read_model], DISK_PER_HOUR),
        ):
            used, count = _used(files)
            limit = (per_hour, SHARE_PER_HOUR)
            self._add(f"{prefix}{name}", "disk", used / MEGABYTE, "MB", *limit)
            self._add(f"{prefix}{name}", "files", count, "", MESSAGES_PER_HOUR, SHARE_PER_HOUR)
        used, _ = _used(layout.root.glob(f"{layout.read_model.name}-wal"))
        beyond = max(0, used - WAL_BYTES) / MEGABYTE
        self._add(f"{prefix}read model", "log beyond 5 MB", beyond, "MB", DISK_PER_HOUR)
        # Bounded by their size, 50 MB for each part.
        used, _ = _used(layout.logs.iterdir())
        self._add(f"{prefix}logs", "disk", used / MEGABYTE, "MB")

    def _add(
        self,
        name: str,
        what: str,
        value: float,
        unit: str,
        per_hour: float | None = None,
        share_per_hour: float = 0.0,
        swing: float = 0.0,
    ) -> None:
        series = self.series.setdefault(
            (name, what),
            Series(
                name=name,
                what=what,
                unit=unit,
                per_hour=per_hour,
                share_per_hour=share_per_hour,
                swing=swing,
            ),
        )
        series.add(time.monotonic() - self._started, value)


def own_memory(pid: int) -> float:
    """A process's resident memory that is no file's, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return float(line.split()[1]) * 1024 / MEGABYTE
    return 0.0  # it is ending


def _below(folder: Path) -> Iterator[Path]:
    """Everything in a folder; what vanishes meanwhile is left out."""
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))


def _used(paths: Iterable[Path]) -> tuple[int, int]:
    """Bytes on the disk, and how many files and folders."""
    used = count = 0
    for path in paths:
        try:
            used += path.lstat().st_blocks * 512
        except FileNotFoundError:
            continue
        count += 1
    return used, count
