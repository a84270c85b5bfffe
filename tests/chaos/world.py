"""A mesh to be broken, and the jobs that it accepted."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import obstore
from obstore.store import LocalStore, ObjectStore

from maie.job.v1 import job_pb2 as job
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import STAGES, MeshOptions
from maie_client import Client, ClientError, JobOptions
from maie_runtime.background import end
from tests.chaos.clocks import Clocks
from tests.chaos.cluster.mesh import ClusterMesh
from tests.chaos.cluster.network import Networks, networks, no_networks
from tests.chaos.disk import SmallDisk, small_disk
from tests.chaos.hosts.mesh import HostsMesh
from tests.chaos.hosts.network import HostNetworks
from tests.s3.proxy import FaultyProxy
from tests.s3.server import BUCKET, S3Server, environment_for

ROOT = Path(__file__).parents[2]
FEATURES = ("raw_transcript", "clean_transcript", "speakers", "reading", "summary")
READING_TEXT = "What was to be read."
TEMPLATE = "meeting_notes_v1"
ACK_WAIT_SECONDS = 2
# A bucket that sends nothing for so long is asked again.
SILENCE = "3s"
# Where no unit is completed for so long, a job that is not finished is stuck.
STUCK_SECONDS = 90.0

T = TypeVar("T")


class Store(StrEnum):
    """Where the objects of a mesh are."""

    FILE = "file"
    S3 = "s3"


@dataclass(kw_only=True, frozen=True, slots=True)
class Setup:
    """What is special about a mesh.

    Attributes:
        environment: Settings of its services and its gateway.
        disk: The folder in the mesh's own that is on a small disk: "blobs",
            "nats", or "." for all of it. Empty for none.
        clocks: Whether the clocks of its gateway and its stages can jump.
        store: Where its objects are.
        servers: How many servers its broker has: 1 or 3.
        hosts: Whether each of these has a host of its own, with a gateway and workers.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    disk: str = ""
    clocks: bool = False
    store: Store = Store.FILE
    servers: int = 1
    hosts: bool = False


@dataclass(kw_only=True, frozen=True, slots=True)
class Bucket:
    """Where the objects of a mesh are.

    Attributes:
        server: The S3 server.
        proxy: What stands between it and the mesh.
    """

    server: S3Server
    proxy: FaultyProxy


@dataclass(kw_only=True)
class World:
    """A running mesh with two workers for ASR, and a client.

    Attributes:
        mesh: The mesh.
        client: A client of its gateway.
        chance: Where all chance comes from, so that a seed repeats a trial.
        objects: What it stored, past all that is broken.
        bucket: Its bucket, if its objects are in one.
        disk: The small disk that it is on, if it is.
        clocks: Its clocks, if they can jump.
        accepted: The jobs whose id was given out, with the state they must end in.
        units_removed: How many units were completed of jobs that were removed since.
        stalls: The longest waits of submits, in seconds, each while something was broken.
        repeated: How many submits were sent again, as their connection broke.
    """

    mesh: LocalMesh
    client: Client
    chance: random.Random
    objects: ObjectStore
    bucket: Bucket | None = None
    disk: SmallDisk | None = None
    clocks: Clocks | None = None
    accepted: dict[str, job.JobState] = field(default_factory=dict)
    units_removed: int = 0
    stalls: list[float] = field(default_factory=list)
    repeated: int = 0

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

        # The others have the report of their sound as well, and are complete without it. Submits
        # of one request ask for the same.
        asked = () if request_id else ("quality",) * self.chance.randint(0, 1)
        options: JobOptions = {
            "features": (*FEATURES, *asked),
            "template_id": TEMPLATE,
            "reading_text": READING_TEXT,
        }
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
        """Waits for a job's final state; None where it is stuck."""
        try:
            return await self.while_it_works(self._end_of(job_id), patience)
        except TimeoutError:
            return None

    async def _end_of(self, job_id: str) -> job.Job | None:
        async for event in self.client.watch_job(job_id):
            if event.WhichOneof("event") == "finished":
                return event.finished.job
        return None

    async def while_it_works(
        self, doing: Coroutine[Any, Any, T], patience: float = STUCK_SECONDS
    ) -> T:
        """Waits for something as long as the mesh works.

        On a busy machine a job may wait for long behind others, and does not stand still.

        Args:
            doing: What is waited for.
            patience: How long no unit may be completed meanwhile, in seconds.

        Raises:
            TimeoutError: None was for so long, and it is not over.
        """
        task, completed = asyncio.create_task(doing), self.units_completed()
        try:
            while not (await asyncio.wait({task}, timeout=patience))[0]:
                before, completed = completed, self.units_completed()
                if before == completed:
                    raise TimeoutError
            return await task
        finally:
            await end(task)

    def send(self, part: str, number: signal.Signals) -> None:
        """Sends a signal to a part, if it runs."""
        self.mesh.children[part].signal(number)

    async def stored(self) -> list[str]:
        """The keys of all objects."""
        return [found["path"] for found in await obstore.list(self.objects).collect_async()]

    def units_completed(self) -> int:
        """How many times a worker completed a unit, by the workers' own logs."""
        return sum(
            line.count('"unit.completed"')
            for log in (self.mesh.layout.root / "logs").glob("*.log*")
            for line in log.read_text(errors="replace").splitlines()
        )


@asynccontextmanager
async def world(data: Path, seed: int, setup: Setup = Setup()) -> AsyncIterator[World]:
    """A mesh whose stages take a moment over each unit and do nothing in it."""
    clocks = (
        Clocks(data.with_name(f"{data.name}-clocks"), ("gateway", *STAGES))
        if setup.clocks
        else None
    )
    chance = random.Random(seed)
    async with AsyncExitStack() as stack:
        disk = stack.enter_context(small_disk(data / setup.disk)) if setup.disk else None
        bucket = (
            await stack.enter_async_context(_bucket(data, chance))
            if setup.store is Store.S3
            else None
        )
        options = MeshOptions(
            data=data,
            port_base=0,
            workers={"asr": 1 if setup.hosts else 2},
            environment=_settings(setup, clocks, bucket),
            commands={stage: _command(stage, clocks) for stage in STAGES},
            blob_url=f"s3://{BUCKET}" if bucket else "",
        )
        mesh = await stack.enter_async_context(_mesh(options, setup, stack))
        client = mesh.client() if isinstance(mesh, HostsMesh) else Client(mesh.gateway)
        yield World(
            mesh=mesh,
            client=await stack.enter_async_context(client),
            chance=chance,
            objects=bucket.server.objects() if bucket else LocalStore(mesh.layout.blobs),
            bucket=bucket,
            disk=disk,
            clocks=clocks,
        )


def _settings(setup: Setup, clocks: Clocks | None, bucket: Bucket | None) -> dict[str, str]:
    settings = {
        "MAIE_ACK_WAIT_SECONDS": str(ACK_WAIT_SECONDS),
        **{f"MAIE_{stage.upper()}_SLOTS": "4" for stage in STAGES},
        "PYTHONPATH": os.pathsep.join(
            filter(None, (os.fspath(ROOT), os.environ.get("PYTHONPATH")))
        ),
        "MAIE_GATEWAY_MAX_ACTIVE_JOBS": "1000",
        **setup.environment,
    }
    if clocks:
        settings |= clocks.environment("gateway")
    if bucket:
        settings |= environment_for(bucket.proxy.address)
        settings["AWS_READ_TIMEOUT"] = SILENCE
    return settings


@asynccontextmanager
async def _bucket(data: Path, chance: random.Random) -> AsyncIterator[Bucket]:
    server = S3Server(data.with_name(f"{data.name}-s3"))
    try:
        await asyncio.to_thread(server.start)
        async with FaultyProxy(target=server.address, chance=chance) as proxy:
            yield Bucket(server=server, proxy=proxy)
    finally:
        server.kill()


def _mesh(options: MeshOptions, setup: Setup, stack: AsyncExitStack) -> LocalMesh:
    """A mesh; where it has three servers, each is in a network of its own if that can be had."""
    if setup.hosts:
        return HostsMesh(options, lambda _: None, stack.enter_context(networks(HostNetworks)))
    if setup.servers == 1:
        return LocalMesh(options, lambda _: None)
    own = None if no_networks() else stack.enter_context(networks(Networks))
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
