"""Many microphones at one gateway, and what they heard."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from psutil import Process

from bench.growth import Series
from bench.live_streams import Stream
from bench.meshes import ROOT
from bench.others import Others
from bench.processes import thread_seconds, watched_memory
from maie_cli.gateway import API_KEY

MEGABYTE = 1e6
# Streams begin one after another, at a random moment within so many seconds for each.
APART_SECONDS = 0.25
# Memory is first measured when every stream has had its first utterances.
SETTLE_SECONDS = 10.0
MICROPHONES = (sys.executable, "-m", "bench._live_load")


@dataclass(kw_only=True, frozen=True, slots=True)
class Event:
    """What a stream heard.

    Attributes:
        at: When, in seconds from its beginning.
        kind: "partial", "final", "lag" or "warning"; "settled" of other products.
        start: Where the text begins, in seconds from the session's beginning.
        end: Where it ends, likewise.
        stable: The stable text of a partial; the text of a final; all text that is settled.
        unstable: The rest of a partial.
    """

    at: float
    kind: str
    start: float = 0.0
    end: float = 0.0
    stable: str = ""
    unstable: str = ""

    @property
    def text(self) -> str:
        """All of its text."""
        return f"{self.stable} {self.unstable}"


@dataclass(kw_only=True, frozen=True, slots=True)
class Heard:
    """What became of a stream.

    Attributes:
        error: What ended it; empty where it ended well.
        late: How late the load itself sent each message, in seconds.
        events: What it heard, in order.
        began: When it began, by the monotonic clock; 0 where it did not.
    """

    error: str
    late: Sequence[float]
    events: Sequence[Event]
    began: float = 0.0

    def of(self, kind: str) -> list[Event]:
        """The events of a kind."""
        return [event for event in self.events if event.kind == kind]


@dataclass(kw_only=True, slots=True)
class Run:
    """One run of many streams.

    Attributes:
        heard: What became of each.
        memory: The memory of each process before the streams, while all of them run, and at their
            end, in MB.
        cores: The processor time of each process, over the time of the run.
        threads: The processor time of its threads, in milliseconds for each second of a stream.
        courses: The memory of each process over time, without that of files.
        others: The share of the machine that other programs took.
    """

    heard: list[Heard] = field(default_factory=list)
    memory: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    cores: dict[str, float] = field(default_factory=dict)
    threads: dict[str, dict[str, float]] = field(default_factory=dict)
    courses: dict[str, Series] = field(default_factory=dict)
    others: float = 0.0


async def run(
    streams: Sequence[Stream],
    address: str,
    pids: Mapping[str, int],
    folder: Path,
    *,
    command: Sequence[str] = MICROPHONES,
    key: str = "",
) -> Run:
    """Speaks all streams to a gateway at once, from a process of its own.

    Args:
        streams: What is spoken.
        address: The gateway.
        pids: The processes to measure, by name.
        folder: For what the processes tell each other.
        command: The process, which gets the folder and the address.
        key: An API key for the gateway; empty where it needs none.

    Raises:
        RuntimeError: The process failed.
    """
    starts = _starts(len(streams))
    await asyncio.to_thread(_write, folder, streams, starts)
    pids = dict(pids)
    before, spent, others = _memory(pids), _seconds(pids), Others()
    load = await asyncio.create_subprocess_exec(
        *command, str(folder), address, cwd=ROOT, env={**os.environ, API_KEY: key}
    )
    try:
        begun = asyncio.get_running_loop().time()
        ending = begun + max(starts) + min(stream.seconds for stream in streams)
        pids["load"] = load.pid
        await asyncio.sleep(max(starts) + SETTLE_SECONDS)
        during, spent["load"] = _memory(pids), {}
        async with watched_memory(pids) as courses:
            await asyncio.sleep(ending - asyncio.get_running_loop().time())
        after, used = _memory(pids), _seconds(pids)
        measured = asyncio.get_running_loop().time()
        if await load.wait():
            raise RuntimeError("The load failed; see above.")
    finally:
        if load.returncode is None:
            load.kill()
            await load.wait()
    taken = {
        name: {thread: each - spent[name].get(thread, 0.0) for thread, each in seconds.items()}
        for name, seconds in used.items()
    }
    heard = await asyncio.to_thread(_read, folder)
    spoken = sum(measured - each.began for each in heard if each.began)
    return Run(
        heard=heard,
        memory={
            name: (before.get(name, during[name]), during[name], after[name]) for name in during
        },
        cores={name: sum(each.values()) / (measured - begun) for name, each in taken.items()},
        threads={
            name: {thread: 1000 * each / spoken for thread, each in seconds.items()}
            for name, seconds in taken.items()
        },
        courses=courses,
        others=others.share(),
    )


def _write(folder: Path, streams: Sequence[Stream], starts: Sequence[float]) -> None:
    folder.mkdir()
    for number, stream in enumerate(streams):
        (folder / f"{number}.pcm").write_bytes(stream.samples.tobytes())
    (folder / "load.json").write_text(json.dumps({"starts": starts}))


def _read(folder: Path) -> list[Heard]:
    return [_heard(each) for each in json.loads((folder / "heard.json").read_text())]


def _starts(count: int) -> list[float]:
    chance = random.Random(count)
    return [(number + chance.random()) * APART_SECONDS for number in range(count)]


def _heard(raw: Mapping[str, Any]) -> Heard:
    events = [Event(**event) for event in raw["events"]]
    return Heard(error=raw["error"], late=raw["late"], events=events, began=raw["began"])


def _memory(pids: Mapping[str, int]) -> dict[str, float]:
    return {name: Process(pid).memory_full_info().uss / MEGABYTE for name, pid in pids.items()}


def _seconds(pids: Mapping[str, int]) -> dict[str, dict[str, float]]:
    return {name: thread_seconds(pid) for name, pid in pids.items()}
