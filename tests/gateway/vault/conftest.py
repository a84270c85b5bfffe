"""A mesh whose jobs are encrypted, and what is looked for on its disk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from maie_runtime.bus.broker import Broker
from maie_runtime.bus.errors import KeyNotFoundError
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.vault.key_file import new_line
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_residue import NAMES, SECRET, WORDS, speaks

EVERYTHING = (*NAMES, SECRET, *WORDS, "RECORDINGBYTES", "hotwordia", "promptoria", "/hook")


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"RECORDINGBYTES"


def written(path: Path, content: str) -> str:
    """A file for its owner only; returns its URL."""
    path.write_text(content)
    path.chmod(0o600)
    return path.as_uri()


@pytest.fixture
def mesh(empty_mesh: EmptyMesh, tmp_path: Path) -> EmptyMesh:
    """The parts of a mesh whose jobs are encrypted."""
    empty_mesh.gateway_options |= {
        "master_key": written(tmp_path / "master.key", new_line()),
        "webhooks": {"allowed_networks": ["127.0.0.0/8"]},
    }
    empty_mesh.stages["asr"].answer = speaks(WORDS[1])
    empty_mesh.stages["asr"].capabilities = ("decoding_options",)
    return empty_mesh


@pytest.fixture
def disk(mesh: EmptyMesh, tmp_path: Path) -> list[Path]:
    """All folders in which the mesh keeps anything."""
    return [tmp_path / "blobs", mesh.nats.store]


@pytest.fixture
async def bystander(mesh: EmptyMesh) -> AsyncIterator[Broker]:
    """A connection to the broker without any key."""
    async with open_provisioned_broker(mesh.nats.url, "test") as opened:
        yield opened


def holds(folder: Path, content: bytes) -> bool:
    """Whether a file below a folder holds these bytes."""
    return any(content in path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def wrapped_key(broker: Broker, job_id: str) -> bytes:
    """The key of a job as it is stored; empty where there is none."""
    try:
        return (await broker.data_keys.get(f"job.{job_id}")).value or b""
    except KeyNotFoundError:
        return b""
