"""`maie up` ends, whatever the libraries make of it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import STAGES, MeshOptions
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh


class DeafMesh(LocalMesh):
    """A mesh whose care for its broker swallows a cancellation, as nats-py may."""

    cares = False

    async def _care_for_broker(self) -> None:
        self.cares = True
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()


async def test_a_mesh_ends_also_where_a_cancellation_is_swallowed(tmp_path: Path) -> None:
    options = MeshOptions(
        data=tmp_path / "data",
        port_base=0,
        workers={"asr": 1},
        environment={"MAIE_ASR_LIVE_TRACKS": "0"},
        commands={stage: (sys.executable, "-m", "bench._empty_service", stage) for stage in STAGES},
    )
    mesh = DeafMesh(options, lambda _: None)
    await mesh.__aenter__()
    await until(lambda: mesh.cares)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await mesh.__aexit__(None, None, None)
    assert not any(child.pid for child in mesh.children.values())
