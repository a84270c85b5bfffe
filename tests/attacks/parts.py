"""Further parts that join the attacked mesh, each a process with settings of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from maie_cli.mesh.layout import Layout
from maie_runtime.bus.seeds import seed_file
from tests.attacks.conftest import Besieged
from tests.mesh.conftest import environment
from tests.waiting import PATIENCE_SECONDS


def settings(layout: Layout, part: str, **variables: str) -> dict[str, str]:
    """What a part of the mesh needs to join it, and these variables."""
    return environment() | {
        "MAIE_NATS_URL": f"nats://{layout.address_file('nats').read_text()}",
        "MAIE_NATS_NKEY_FILE": os.fspath(seed_file(layout.nkeys, part)),
        "MAIE_BLOB_URL": layout.blobs.as_uri(),
        **variables,
    }


@asynccontextmanager
async def joined(
    mesh: Besieged, part: str, log: Path, **variables: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A further process of a part; it must live to the end and stop in order."""
    with log.open("w") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"maie_{part}"),
            stdout=output,
            stderr=output,
            env=settings(mesh.running.layout, part, **variables),
        )
    try:
        yield process
        assert process.returncode is None, f"see {log}"
    finally:
        if process.returncode is None:
            process.terminate()
        code = await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
    assert code == 0, f"see {log}"
