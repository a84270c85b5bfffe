"""Meshes to measure: the parts of `maie up`, some of them left out or emptied."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from nats.aio.client import Client as NatsClient

from bench.report import note
from maie.job.v1 import job_pb2 as job
from maie_cli.mesh.broker import credentials
from maie_cli.mesh.child import Child
from maie_cli.mesh.layout import Layout
from maie_cli.mesh.options import STAGES, MeshOptions
from maie_cli.mesh.parts import GATEWAY, NATS, WEB, Part, plan
from maie_client import Client, JobOptions
from maie_runtime.bus.rights import OPERATOR
from maie_runtime.bus.server_config import SERVER_FILE

ROOT = Path(__file__).resolve().parent.parent
EMPTY_SERVICE = (sys.executable, "-m", "bench._empty_service")
START_SECONDS = 60.0
STOP_SECONDS = 10.0
# What is measured is what jobs ask for; bench/quality_cost.py has what the report costs besides.
AS_ASKED = {"MAIE_GATEWAY_MEASURE_QUALITY": "false"}
# As `maie up` writes it.
SYNC_ALWAYS = '  "sync_interval": "always",\n'


@contextmanager
def data_folder() -> Iterator[Path]:
    """A folder for a mesh, among the checkout's other caches, and so on a real disk."""
    caches = ROOT / ".cache"
    caches.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=caches) as folder:
        yield Path(folder)


async def through_mesh(
    client: Client, recording: Path, **options: Unpack[JobOptions]
) -> tuple[float, job.JobResults]:
    """Seconds from the upload's begin to the results, and the results.

    Raises:
        RuntimeError: The job is not complete.
    """
    started = time.perf_counter()
    last = job.JobEvent()
    async for event in client.process(recording, **options):
        last = event
    done = last.finished.job
    if done.state != job.JOB_STATE_COMPLETE:
        raise RuntimeError(f"The job is {job.JobState.Name(done.state)}: {done.failures}")
    return time.perf_counter() - started, done.results


@asynccontextmanager
async def empty_mesh(
    data: Path, *, sync_always: bool = True, environment: Mapping[str, str] | None = None
) -> AsyncIterator[dict[str, Child]]:
    """All parts of a mesh as processes, with stages that answer at once.

    Args:
        data: The mesh's folder.
        sync_always: Whether the broker syncs every write to the disk, as `maie up`
            has it, or every two minutes, as nats-server has it by default.
        environment: Settings of the parts.
    """
    wanted = {**AS_ASKED, **(environment or {})}
    async with _running(data, (NATS, *STAGES, GATEWAY), sync_always, wanted) as parts:
        yield parts


@asynccontextmanager
async def gateway_alone(
    data: Path, environment: Mapping[str, str] | None = None, *, web: bool = False
) -> AsyncIterator[dict[str, Child]]:
    """A broker and a gateway as processes; jobs wait for ever.

    Args:
        data: The mesh's folder.
        environment: Settings of the parts.
        web: Whether there is a web part as well.
    """
    names = (NATS, GATEWAY, WEB) if web else (NATS, GATEWAY)
    async with _running(data, names, True, environment or {}) as parts:
        yield parts


@asynccontextmanager
async def live_mesh(
    data: Path,
    environment: Mapping[str, str],
    *,
    workers: int = 1,
    command: tuple[str, ...] = (),
    web: bool = False,
) -> AsyncIterator[dict[str, Child]]:
    """A broker, ASR and a gateway as processes: all that live speech needs.

    Args:
        data: The mesh's folder.
        environment: Settings of the parts.
        workers: The number of ASR processes.
        command: What runs in place of the ASR service; a module of this checkout.
        web: Whether there is a web part as well.
    """
    options = MeshOptions(
        data=data,
        port_base=0,
        environment={**environment, "PYTHONPATH": os.fspath(ROOT)},
        workers={"asr": workers},
        commands={"asr": command} if command else {},
        web_port=0 if web else None,
    )
    layout = Layout(data)
    layout.create()
    wanted = [
        part
        for part in plan(options, layout)
        if part.name in (NATS, GATEWAY, WEB) or part.name.startswith("asr")
    ]
    async with _started(wanted, layout) as parts:
        yield parts


@asynccontextmanager
async def operator(data: Path, parts: Mapping[str, Child]) -> AsyncIterator[NatsClient]:
    """A connection to a mesh's broker that may see everything."""
    client = NatsClient()
    options = credentials(Layout(data), OPERATOR).options()
    await client.connect(parts[NATS].part.address, **options)
    try:
        yield client
    finally:
        await client.close()


def pids_of(parts: Mapping[str, Child]) -> dict[str, int]:
    """The processes that run, by their parts' names."""
    return {name: child.pid for name, child in parts.items() if child.pid}


@asynccontextmanager
async def _running(
    data: Path, names: tuple[str, ...], sync_always: bool, environment: Mapping[str, str]
) -> AsyncIterator[dict[str, Child]]:
    layout = Layout(data)
    layout.create()
    options = MeshOptions(data=data, port_base=0, environment=environment, web_port=0)
    parts = [_emptied(part) for part in plan(options, layout) if part.name in names]
    if not sync_always:
        _sync_rarely(layout.run / SERVER_FILE)
    async with _started(parts, layout) as children:
        yield children


@asynccontextmanager
async def _started(parts: Sequence[Part], layout: Layout) -> AsyncIterator[dict[str, Child]]:
    children = {part.name: Child(part, layout, note) for part in parts}
    async with AsyncExitStack() as stack:
        # Services wait for the streams, which the gateway, the last part, creates.
        for child in children.values():
            stack.push_async_callback(child.stop, STOP_SECONDS)
            await child.start()
        for child in children.values():
            await child.wait_ready(START_SECONDS)
        yield children


def _emptied(part: Part) -> Part:
    if part.name not in STAGES:
        return part
    return replace(
        part,
        command=(*EMPTY_SERVICE, part.name),
        environment={**part.environment, "PYTHONPATH": os.fspath(ROOT)},
    )


def _sync_rarely(config: Path) -> None:
    text = config.read_text()
    rarely = text.replace(SYNC_ALWAYS, "")
    if rarely == text:
        raise RuntimeError(f"{config} does not say how often the broker syncs.")
    config.write_text(rarely)
