"""A mesh to be broken, and the jobs that it accepted."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from maie.job.v1 import job_pb2 as job
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import STAGES, MeshOptions
from maie_client import Client, ClientError, JobOptions
from tests.chaos.clocks import Clocks
from tests.chaos.cluster.mesh import ClusterMesh
from tests.chaos.cluster.network import networks, no_networks
from tests.chaos.disk import SmallDisk, small_disk

ROOT = Path(__file__).parents[2]
FEATURES = ("raw_transcript", "clean_transcript", "summary")
TEMPLATE = "meeting_notes_v1"
ACK_WAIT_SECONDS = 2
# A job that is not finished by then stands still.
STUCK_SECONDS = 90.0


@dataclass(kw_only=True, frozen=True, slots=True)
class Setup:
    """What is special about a mesh.

    Attributes:
        environment: Settings of its services and its gateway.
        disk: The folder in the mesh's own that is on a small disk: "blobs",
            "nats", or "." for all of it. Empty for none.
        clocks: Whether the clocks of its gateway and its stages can jump.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    disk: str = ""
    clocks: bool = False


@dataclass(kw_only=True)
class World:
    """A running mesh with two workers for ASR, and a client.

    Attributes:
        mesh: The mesh.
        client: A client of its gateway.
        chance: Where all chance comes from, so that a seed repeats a trial.
        disk: The small disk that it is on, if it is.
        clocks: Its clocks, if they can jump.
        accepted: The jobs whose id was given out, with the state they must end in.
        units_removed: How many units were completed of jobs that were removed since.
        stalls: The longest waits of submits, in seconds, each while something was broken.
    """

    mesh: LocalMesh
    client: Client
    chance: random.Random
    disk: SmallDisk | None = None
    clocks: Clocks | None = None
    accepted: dict[str, job.JobState] = field(default_factory=dict)
    units_removed: int = 0
    stalls: list[float] = field(default_factory=list)

    async def submit(
        self,
        recording: bytes = b"anything",
        expected: job.JobState = job.JOB_STATE_COMPLETE,
        request_id: str = "",
    ) -> str | None:
        """Submits a job; None where it was refused, which is no loss."""
        try:
            return await self.must_submit(recording, expected, request_id)
        except ClientError:
            return None

    async def must_submit(
        self,
        recording: bytes = b"anything",
        expected: job.JobState = job.JOB_STATE_COMPLETE,
        request_id: str = "",
    ) -> str:
        """Submits a job.

        Raises:
            ClientError: It was refused.
        """

        async def audio() -> AsyncIterator[bytes]:
            yield recording

        options: JobOptions = {"features": FEATURES, "template_id": TEMPLATE}
        if request_id:
            options["request_id"] = request_id
        created = await self.client.create_job(audio(), **options)
        self.accepted[created.job_id] = expected
        return created.job_id

    async def load(self, jobs: int, seconds: float) -> None:
        """Submits jobs at random instants over a time."""

        async def later() -> None:
            await asyncio.sleep(self.chance.uniform(0, seconds))
            await self.submit()

        await asyncio.gather(*(later() for _ in range(jobs)))

    async def end_of(self, job_id: str, patience: float = STUCK_SECONDS) -> job.Job | None:
        """Waits for a job's final state; None where it stands still."""
        try:
            async with asyncio.timeout(patience):
                async for event in self.client.watch_job(job_id):
                    if event.WhichOneof("event") == "finished":
                        return event.finished.job
        except TimeoutError:
            pass
        return None

    def send(self, part: str, number: signal.Signals) -> None:
        """Sends a signal to a part, if it runs."""
        self.mesh.children[part].signal(number)

    def units_completed(self) -> int:
        """How many times a worker completed a unit, by the workers' own logs."""
        return sum(
            line.count('"unit.completed"')
            for log in (self.mesh.layout.root / "logs").glob("*.log*")
            for line in log.read_text(errors="replace").splitlines()
        )


@asynccontextmanager
async def world(
    data: Path, seed: int, setup: Setup = Setup(), *, servers: int = 1
) -> AsyncIterator[World]:
    """A mesh whose stages take a moment over each unit and do nothing in it.

    Args:
        data: Where its files are.
        seed: Where chance comes from.
        setup: What is special about it.
        servers: How many servers its broker has: 1 or 3.
    """
    settings = {"MAIE_ACK_WAIT_SECONDS": str(ACK_WAIT_SECONDS)}
    settings |= {f"MAIE_{stage.upper()}_SLOTS": "4" for stage in STAGES}
    path = os.pathsep.join((os.fspath(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])))
    settings |= {"PYTHONPATH": path, "MAIE_GATEWAY_MAX_ACTIVE_JOBS": "1000"}
    settings |= setup.environment
    clocks = (
        Clocks(data.with_name(f"{data.name}-clocks"), ("gateway", *STAGES))
        if setup.clocks
        else None
    )
    options = MeshOptions(
        data=data,
        port_base=0,
        workers={"asr": 2},
        environment=settings | (clocks.environment("gateway") if clocks else {}),
        commands={stage: _command(stage, clocks) for stage in STAGES},
    )
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(data / setup.disk)) if setup.disk else None
        made = _cluster(options, stack) if servers > 1 else LocalMesh(options, lambda _: None)
        async with made as mesh, Client(mesh.gateway) as client:
            yield World(
                mesh=mesh, client=client, chance=random.Random(seed), disk=disk, clocks=clocks
            )


def _cluster(options: MeshOptions, stack: ExitStack) -> LocalMesh:
    """A mesh around three servers, each in a network of its own where that can be had."""
    own = None if no_networks() else stack.enter_context(networks())
    return ClusterMesh(options, lambda _: None, own)


def _command(stage: str, clocks: Clocks | None) -> tuple[str, ...]:
    service = (sys.executable, "-m", "tests.chaos.service", stage)
    if clocks is None:
        return service
    settings = (f"{name}={value}" for name, value in clocks.environment(stage).items())
    return ("/usr/bin/env", *settings, *service)


def now() -> float:
    """Seconds on a clock that never jumps."""
    return time.monotonic()
