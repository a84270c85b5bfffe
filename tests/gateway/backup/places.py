"""A mesh, its backup, and the place that it is restored to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from tests.cli.command import Ended, run
from tests.gateway.conftest import EmptyMesh

FEATURES = ("raw_transcript",)


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"RECORDINGBYTES"


@dataclass(kw_only=True)
class Places:
    """A mesh, a folder for its backup, and the place of another mesh.

    Attributes:
        mesh: The mesh.
        folder: Where its backup goes.
        other: A mesh of the same settings, with a broker and an object store of its own.
        environment: Variables that both stores need.
    """

    mesh: EmptyMesh
    folder: Path
    other: EmptyMesh
    environment: dict[str, str] = field(default_factory=dict)

    def variables(self, mesh: EmptyMesh) -> dict[str, str]:
        """The environment of a command that works on the stores of a mesh."""
        places = {"MAIE_NATS_URL": mesh.mesh.nats_url, "MAIE_BLOB_URL": mesh.mesh.blob_url}
        return self.environment | places

    async def backup(self) -> Ended:
        """Runs `maie backup`."""
        return await asyncio.to_thread(
            run, "backup", self.folder, environment=self.variables(self.mesh)
        )

    async def restore(self, *options: object) -> Ended:
        """Runs `maie restore`."""
        return await asyncio.to_thread(
            run, "restore", self.folder, *options, environment=self.variables(self.other)
        )


only_files = pytest.mark.parametrize("stores", ["file"], indirect=True)
only_buckets = pytest.mark.parametrize("stores", ["s3"], indirect=True)


async def completed(client: Client, job_id: str) -> job.Job:
    """The job, once it has ended."""
    last = [event async for event in client.watch_job(job_id)][-1].finished.job
    assert last.state == job.JOB_STATE_COMPLETE
    return last
